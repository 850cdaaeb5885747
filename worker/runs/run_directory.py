"""A run's working directory, which contains the checkpoint and the candidate and is removed when the run ends."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import lock_descriptor

from core.settings import Settings


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The working directory of one run, and the file descriptor that holds the lock on all run directories."""

    path: Path
    lock_descriptor: int

    @property
    def candidate(self) -> Path:
        """The folder where the trainer publishes the candidate."""
        return self.path / "candidate"

    def remove(self) -> None:
        """Remove the directory and everything in it that is derived from people's texts."""
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def run_directory(settings: Settings, run_id: int, wait: Callable[[], None]) -> Iterator[RunDirectory]:
    """Lock and yield the run's directory, after removing the directories of earlier runs.

    Only one run at a time can use a DATA_DIR. ``wait`` is called repeatedly while another process holds the lock, and
    can give up by raising an error. A run's trainer inherits the lock, so a trainer that briefly outlives its worker
    never overlaps with the next run. The lock file is outside the run's directory, because publishing locks the
    directory itself.
    """
    root = settings.data_dir.resolve() / "work"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not lock_descriptor(descriptor, blocking=False):
            wait()
        _remove_others(root, run_id)
        path = root / _directory_name(run_id)
        path.mkdir(mode=0o700, exist_ok=True)
        yield RunDirectory(path, descriptor)
    finally:
        os.close(descriptor)


def remove_stale_directories(settings: Settings, open_run: int | None) -> None:
    """Remove the directories of all runs except the open one.

    Do nothing while a run is in progress on this machine, because that run has already removed them.
    """
    root = settings.data_dir.resolve() / "work"
    if not root.is_dir():
        return
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if lock_descriptor(descriptor, blocking=False):
            _remove_others(root, open_run)
    finally:
        os.close(descriptor)


def _remove_others(root: Path, run_to_keep: int | None) -> None:
    for path in root.glob("run-*"):
        if run_to_keep is None or path.name != _directory_name(run_to_keep):
            shutil.rmtree(path, ignore_errors=True)


def _directory_name(run_id: int) -> str:
    return f"run-{run_id}"
