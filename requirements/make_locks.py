"""Make the lock files from pyproject.toml with uv, or check without a network that they are current.

``python requirements/make_locks.py`` writes every lock, keeping the versions that still fit; remove a lock first to
take the newest. ``--check`` compares the digest at each lock's top with pyproject.toml and looks at every line.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent
# One resolution for every platform, hashes on every line, and no address of an index in the file.
OPTIONS = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-annotate",
    # It tells its makers of every import. OpenVINO goes without where it is not installed.
    "--no-emit-package=openvino-telemetry",
]
DIGEST = re.compile(r"^# inputs: ([0-9a-f]{64})$", re.MULTILINE)
ADDRESS = re.compile(r"index-url|find-links|\bhttps?:|\bfile:|@ ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file: whether it holds the project's dependencies, with which extras and groups; or one lone package."""

    name: str
    project: bool = True
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    lone: bool = False

    @property
    def path(self) -> Path:
        """Where the lock lies."""
        return FOLDER / f"{self.name}.lock"

    @property
    def arguments(self) -> list[str]:
        """What uv is told to resolve."""
        return [
            *(["pyproject.toml"] if self.project else []),
            *(f"--extra={extra}" for extra in self.extras),
            *(f"--group={group}" for group in self.groups),
            *(["--no-deps"] if self.lone else []),
        ]


LOCKS = [
    Lock("serve", groups=("build",)),
    Lock("train", extras=("train",), groups=("build",)),
    Lock("gpu", extras=("gpu",), groups=("build",)),
    Lock("dev", extras=("train",), groups=("build", "dev")),
    Lock("peers", project=False, groups=("peers",)),
    # It declares sentence-transformers, hence PyTorch, and Thumbs reads its files only.
    Lock("encoder", project=False, groups=("encoder",), lone=True),
]


def main(arguments: list[str]) -> int:
    """Write the locks, or with ``--check`` say what is wrong with them; returns the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if arguments == ["--check"]:
        faults = [*stale(project), *(fault for path in sorted(FOLDER.glob("*.lock")) for fault in faults_in(path))]
        for fault in faults:
            print(fault, file=sys.stderr)
        return 1 if faults else 0
    if arguments:
        print("Usage: make_locks.py [--check]", file=sys.stderr)
        return 2
    for lock in LOCKS:
        write(lock, digest(lock, project))
    return 0


def digest(lock: Lock, project: dict[str, Any]) -> str:
    """Hash of what ``lock`` is resolved from: its tables of pyproject.toml and uv's options."""
    table = project["project"]
    inputs = {
        "python": table["requires-python"],
        "dependencies": table["dependencies"] if lock.project else [],
        # The gpu extra names the train extra, so a lock with an extra depends on both.
        "extras": table["optional-dependencies"] if lock.extras else {},
        "groups": {group: project["dependency-groups"][group] for group in lock.groups},
        "uv": project["tool"]["uv"],
        "arguments": [*OPTIONS, *lock.arguments],
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def write(lock: Lock, inputs: str) -> None:
    """Resolve ``lock`` with uv, starting from the versions it has, and put the digest at its top."""
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--no-header", *OPTIONS]
    subprocess.run([*uv, *lock.arguments, f"--output-file={lock.path}"], cwd=ROOT, check=True)
    body = lock.path.read_text(encoding="utf-8")
    heading = f"# Made from pyproject.toml by: make locks\n# inputs: {inputs}\n"
    lock.path.write_text(heading + body, encoding="utf-8")


def stale(project: dict[str, Any]) -> list[str]:
    """One sentence for each lock that is missing or was made from another pyproject.toml."""
    faults = []
    for lock in LOCKS:
        found = DIGEST.search(lock.path.read_text(encoding="utf-8")) if lock.path.is_file() else None
        if found is None or found.group(1) != digest(lock, project):
            faults.append(f"requirements/{lock.path.name} is not made from this pyproject.toml. Run: make locks")
    return faults


def faults_in(path: Path) -> list[str]:
    """One sentence for each requirement in ``path`` that is not pinned with hashes, or that names an address."""
    lines = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8")).splitlines()
    faults = []
    for line in lines:
        requirement = line.strip()
        if not requirement or requirement.startswith("#"):
            continue
        if ADDRESS.search(requirement):
            faults.append(f"requirements/{path.name} names an address: {requirement[:60]}")
        elif not re.match(r"[A-Za-z0-9._-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", requirement):
            faults.append(f"requirements/{path.name} has no version and hash for: {requirement[:60]}")
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
