"""Write the lock files from pyproject.toml with uv, or check offline that they are current.

``python requirements/make_locks.py`` writes all locks and keeps the current versions where possible. To upgrade the
packages in a lock, delete the lock first. ``--check`` compares the digest at the top of each lock with pyproject.toml
and checks every line.
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
# Resolve once for all platforms, put hashes on every line, and leave index URLs out of the file.
OPTIONS = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-annotate",
    # This package reports every import to its makers, and OpenVINO works without it.
    "--no-emit-package=openvino-telemetry",
]
DIGEST = re.compile(r"^# inputs: ([0-9a-f]{64})$", re.MULTILINE)
ADDRESS = re.compile(r"index-url|find-links|\bhttps?:|\bfile:|@ ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file for the project with extras and groups, for groups only, or for a package without dependencies."""

    name: str
    project: bool = True
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    lone: bool = False

    @property
    def path(self) -> Path:
        """The lock file's path."""
        return FOLDER / f"{self.name}.lock"

    @property
    def arguments(self) -> list[str]:
        """Arguments for uv that select what to resolve."""
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
    # This package depends on sentence-transformers and therefore on PyTorch, but Thumbs only reads its files.
    Lock("encoder", project=False, groups=("encoder",), lone=True),
]


def main(arguments: list[str]) -> int:
    """Write the locks, or with ``--check`` print their faults, and return the exit status."""
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
    """Hash the inputs of ``lock``: its tables in pyproject.toml and uv's options."""
    table = project["project"]
    inputs = {
        "python": table["requires-python"],
        "dependencies": table["dependencies"] if lock.project else [],
        # The gpu extra includes the train extra, so a lock with an extra depends on both.
        "extras": table["optional-dependencies"] if lock.extras else {},
        "groups": {group: project["dependency-groups"][group] for group in lock.groups},
        "uv": project["tool"]["uv"],
        "arguments": [*OPTIONS, *lock.arguments],
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def write(lock: Lock, inputs: str) -> None:
    """Resolve ``lock`` with uv, prefer the current versions, and write the digest at the top."""
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--no-header", *OPTIONS]
    subprocess.run([*uv, *lock.arguments, f"--output-file={lock.path}"], cwd=ROOT, check=True)
    body = lock.path.read_text(encoding="utf-8")
    heading = f"# Made from pyproject.toml by: make locks\n# inputs: {inputs}\n"
    lock.path.write_text(heading + body, encoding="utf-8")


def stale(project: dict[str, Any]) -> list[str]:
    """Return one sentence for each lock that is missing or was written from a different pyproject.toml."""
    faults = []
    for lock in LOCKS:
        found = DIGEST.search(lock.path.read_text(encoding="utf-8")) if lock.path.is_file() else None
        if found is None or found.group(1) != digest(lock, project):
            faults.append(f"requirements/{lock.path.name} does not match pyproject.toml. Run: make locks")
    return faults


def faults_in(path: Path) -> list[str]:
    """Return one sentence for each requirement in ``path`` that lacks a version or a hash, or that has a URL."""
    lines = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8")).splitlines()
    faults = []
    for line in lines:
        requirement = line.strip()
        if not requirement or requirement.startswith("#"):
            continue
        if ADDRESS.search(requirement):
            faults.append(f"requirements/{path.name} has a URL: {requirement[:60]}")
        elif not re.match(r"[A-Za-z0-9._-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", requirement):
            faults.append(f"requirements/{path.name} has no version and hash for: {requirement[:60]}")
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
