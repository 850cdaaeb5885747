"""Make the virtual environment of one role from its hashed lock files, or leave it when it is current.

``python requirements/make_env.py serve`` needs nothing but a Python of 3.11 or newer with venv and pip. The stamp in an
environment is written last, so an interrupted installation never looks current.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 -- an older Python has to be told, in syntax that it can read
    sys.exit(f"Thumbs needs Python 3.11 or newer and this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ROOT = Path(__file__).resolve().parent.parent
STAMP = "thumbs-stamp"


@dataclass(frozen=True, slots=True)
class Role:
    """What one environment holds: its folder, its lock files, the project itself or not, and what making it costs."""

    folder: str
    locks: tuple[str, ...]
    installs_project: bool
    cost: str


ROLES = {
    "serve": Role(".venv", ("serve.lock",), True, "about 120 MB to download, a minute or so"),
    "dev": Role(".venv-dev", ("dev.lock", "encoder.lock"), True, "about 1 GB to download, two to five minutes"),
    "train": Role(".venv-train", ("train.lock", "encoder.lock"), True, "about 850 MB to download, two to five minutes"),
    "gpu": Role(".venv-gpu", ("gpu.lock", "encoder.lock"), True, "several GB to download, ten minutes or more"),
    "peers": Role(
        ".venv-peers",
        ("peers.lock", "torch.lock"),
        False,
        "about 250 MB to download; on Linux pip has to find a CPU build of PyTorch, see requirements/torch.lock",
    ),
}


def main(arguments: list[str]) -> int:
    """Make the environment of the role in ``arguments`` current; returns the exit status."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        print(f"Usage: make_env.py {'|'.join(ROLES)}", file=sys.stderr)
        return 2
    role = ROLES[arguments[0]]
    folder = ROOT / role.folder
    if is_current(folder, digest(role)):
        return 0  # as at most starts, and where nothing may be written
    try:
        with held(folder):
            return make(role, folder)
    except KeyboardInterrupt:
        return 130


def make(role: Role, folder: Path) -> int:
    """Make ``folder`` current, which nobody else does meanwhile; the exit status."""
    wanted = digest(role)
    if is_current(folder, wanted):
        return 0
    if importlib.util.find_spec("ensurepip") is None:
        print("This Python cannot make virtual environments. On Debian: apt-get install python3-venv", file=sys.stderr)
        return 1
    locks = " and ".join(f"requirements/{lock}" for lock in role.locks)
    print(f"Making {role.folder} from {locks} ({role.cost})...", file=sys.stderr, flush=True)
    try:
        build(role, folder)
    except subprocess.CalledProcessError:
        print(f"Making {role.folder} failed; pip says why above. The same command starts it anew.", file=sys.stderr)
        return 1
    (folder / STAMP).write_text(wanted + "\n", encoding="utf-8")
    return 0


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the right to make ``folder``: of two commands that need it, the second waits for the first."""
    with folder.with_name(f"{folder.name}.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another command is making {folder.name}; waiting for it...", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(role: Role) -> str:
    """Hash of all that an environment is made from: locks, pyproject's build tables, rooms, this Python, this place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tables = {
        "build": project["build-system"],
        "project": project["project"],
        "setuptools": project["tool"]["setuptools"],
    }
    # An editable installation lists the top-level packages that it found.
    rooms = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    parts = [
        json.dumps([tables, rooms], sort_keys=True).encode(),
        *((ROOT / "requirements" / lock).read_bytes() for lock in role.locks),
        f"{sys.implementation.name} {sys.version} {sys.base_prefix} {ROOT}".encode(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current(folder: Path, wanted: str) -> bool:
    """Whether ``folder`` holds a finished environment with the digest ``wanted`` whose Python still exists."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == wanted and python_in(folder).exists()


def build(role: Role, folder: Path) -> None:
    """Make ``folder`` anew; raises CalledProcessError when a step fails."""
    if folder.exists():
        (folder / STAMP).unlink(missing_ok=True)  # what is half removed must not look current
        shutil.rmtree(folder)
    # Not the interpreter of an environment that is activated: it may be the one that was just removed.
    python = getattr(sys, "_base_executable", None) or sys.executable
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    # The locks name every package, so pip resolves nothing; --no-deps also keeps out what torch and the encoder want.
    locks = [argument for lock in role.locks for argument in ("-r", str(ROOT / "requirements" / lock))]
    install(folder, "--no-deps", "--require-hashes", *locks)
    if role.installs_project:
        install(folder, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def install(folder: Path, *arguments: str) -> None:
    """Run pip install in ``folder``, quiet but for errors."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(python_in(folder)), "-m", "pip", "install", "-qq", *arguments]
    subprocess.run(command, check=True, env=environment)


def python_in(folder: Path) -> Path:
    """Return the interpreter of the environment in ``folder``."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


if __name__ == "__main__":
    # Told to end, it takes pip along, which subprocess.run kills when an exception passes it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
