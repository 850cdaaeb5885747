"""Install the virtual environment for one role from hashed lock files, unless it is current.

``python requirements/make_env.py serve`` needs only Python 3.11 or newer with venv and pip. The environment's stamp is
written last, so an interrupted installation is never treated as current.
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

if sys.version_info < (3, 11):  # noqa: UP036 -- an older Python gets this message, in syntax that it can parse
    sys.exit(f"Thumbs needs Python 3.11 or newer, and this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ROOT = Path(__file__).resolve().parent.parent
STAMP = "thumbs-stamp"


@dataclass(frozen=True, slots=True)
class Role:
    """One environment: its folder and lock files, whether it includes the project, and the cost of installing it."""

    folder: str
    locks: tuple[str, ...]
    installs_project: bool
    cost: str


ROLES = {
    "serve": Role(".venv", ("serve.lock",), True, "about 180 MB to download, a minute or so"),
    "dev": Role(".venv-dev", ("dev.lock", "encoder.lock"), True, "about 1 GB to download, two to five minutes"),
    "train": Role(".venv-train", ("train.lock", "encoder.lock"), True, "about 850 MB to download, two to five minutes"),
    "gpu": Role(".venv-gpu", ("gpu.lock", "encoder.lock"), True, "several GB to download, ten minutes or more"),
    "peers": Role(
        ".venv-peers",
        ("peers.lock", "torch.lock"),
        False,
        "about 250 MB to download; on Linux, pip must find a CPU build of PyTorch, see requirements/torch.lock",
    ),
}


def main(arguments: list[str]) -> int:
    """Install the environment for the role in ``arguments`` unless it is current, and return the exit status."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        print(f"Usage: make_env.py {'|'.join(ROLES)}", file=sys.stderr)
        return 2
    role = ROLES[arguments[0]]
    folder = ROOT / role.folder
    if is_current(folder, digest(role)):
        return 0  # the usual case; works even if nothing is writable
    try:
        with environment_lock(folder):
            return make(role, folder)
    except KeyboardInterrupt:
        return 130


def make(role: Role, folder: Path) -> int:
    """Install the environment in ``folder`` unless it is current, and return the exit status.

    The caller must hold the environment's lock.
    """
    wanted = digest(role)
    if is_current(folder, wanted):
        return 0
    if importlib.util.find_spec("ensurepip") is None:
        print(
            "This Python cannot create virtual environments. On Debian: apt-get install python3-venv", file=sys.stderr
        )
        return 1
    locks = " and ".join(f"requirements/{lock}" for lock in role.locks)
    print(f"Installing {role.folder} from {locks} ({role.cost})...", file=sys.stderr, flush=True)
    try:
        build(role, folder)
    except subprocess.CalledProcessError:
        print(
            f"Installing {role.folder} failed; see pip's output above. To retry, run the same command again.",
            file=sys.stderr,
        )
        return 1
    (folder / STAMP).write_text(wanted + "\n", encoding="utf-8")
    return 0


@contextmanager
def environment_lock(folder: Path) -> Iterator[None]:
    """Hold the installation lock for ``folder`` during the block, after waiting for any other command that holds it."""
    with folder.with_name(f"{folder.name}.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another command is installing {folder.name}; waiting for it...", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(role: Role) -> str:
    """Hash an environment's inputs: locks, build tables in pyproject.toml, packages, this Python and this folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tables = {
        "build": project["build-system"],
        "project": project["project"],
        "setuptools": project["tool"]["setuptools"],
    }
    # An editable installation records the top-level packages that existed when it was made.
    rooms = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    parts = [
        json.dumps([tables, rooms], sort_keys=True).encode(),
        *((ROOT / "requirements" / lock).read_bytes() for lock in role.locks),
        f"{sys.implementation.name} {sys.version} {sys.base_prefix} {ROOT}".encode(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current(folder: Path, wanted: str) -> bool:
    """Return whether ``folder`` contains a complete environment with the digest ``wanted`` and a Python interpreter."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == wanted and python_in(folder).exists()


def build(role: Role, folder: Path) -> None:
    """Create the environment in ``folder`` from scratch. Raise CalledProcessError if a step fails."""
    if folder.exists():
        (folder / STAMP).unlink(missing_ok=True)  # a half-removed environment must not look current
        shutil.rmtree(folder)
    # Don't use the active environment's interpreter, because that environment may have just been removed.
    python = getattr(sys, "_base_executable", None) or sys.executable
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    # The locks list every package, so pip resolves nothing. --no-deps also skips torch's and the encoder's
    # dependencies.
    locks = [argument for lock in role.locks for argument in ("-r", str(ROOT / "requirements" / lock))]
    install(folder, "--no-deps", "--require-hashes", *locks)
    if role.installs_project:
        install(folder, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def install(folder: Path, *arguments: str) -> None:
    """Run pip install in ``folder`` and print only errors. Raise CalledProcessError if pip fails."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(python_in(folder)), "-m", "pip", "install", "-qq", *arguments]
    subprocess.run(command, check=True, env=environment)


def python_in(folder: Path) -> Path:
    """Return the interpreter for the environment in ``folder``."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


if __name__ == "__main__":
    # On SIGTERM, raise SystemExit, so that subprocess.run kills pip.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
