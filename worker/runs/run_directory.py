"""The folder that a run is carried out in: its checkpoint and its candidate, which go when the run has ended."""

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
    """One run's folder, and the descriptor that the lock of all rooms lasts with."""

    folder: Path
    held: int

    @property
    def candidate(self) -> Path:
        """Where the trainer publishes the candidate."""
        return self.folder / "candidate"

    def purge(self) -> None:
        """Remove what learnt from people's texts."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def run_directory(settings: Settings, run_id: int, wait: Callable[[], None]) -> Iterator[RunDirectory]:
    """The folder of a run, and of no other: one run at a time is carried out under one DATA_DIR.

    ``wait`` is called, and may raise, for as long as another holds the lock. A run's trainer holds it too, so that one
    which outlives its worker for a moment does not meet the next. It is not the folder's own lock, which publishing in
    it takes. What earlier runs left behind is removed.
    """
    rooms = settings.data_dir.resolve() / "work"
    rooms.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(rooms / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not lock_descriptor(descriptor, blocking=False):
            wait()
        _clear(rooms, run_id)
        folder = rooms / _name(run_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        yield RunDirectory(folder, descriptor)
    finally:
        os.close(descriptor)


def remove_stale_directories(settings: Settings, open_run: int | None) -> None:
    """Remove the folders of runs that ended while nobody carried them out: all but the open run's.

    Does nothing while a run is carried out here, which removes them itself.
    """
    rooms = settings.data_dir.resolve() / "work"
    if not rooms.is_dir():
        return
    descriptor = os.open(rooms / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if lock_descriptor(descriptor, blocking=False):
            _clear(rooms, open_run)
    finally:
        os.close(descriptor)


def _clear(rooms: Path, but: int | None) -> None:
    for folder in rooms.glob("run-*"):
        if but is None or folder.name != _name(but):
            shutil.rmtree(folder, ignore_errors=True)


def _name(run_id: int) -> str:
    return f"run-{run_id}"
