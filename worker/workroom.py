"""The folder that a run is carried out in: its checkpoint and its candidate, which go when the run has ended."""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.settings import Settings

_NAME: Final = re.compile(r"run-(\d+)")


@dataclass(frozen=True, slots=True)
class Workroom:
    """One run's folder, and the descriptor that its lock lasts with."""

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
def workroom(settings: Settings, run_id: int, wait: Callable[[], None]) -> Iterator[Workroom]:
    """The folder of a run, locked; ``wait`` is called for as long as another holds it, and may raise.

    Its trainer holds the lock too, so that one which outlives its worker for a moment does not meet the next.
    """
    folder = _rooms(settings) / f"run-{run_id}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        while not _locked(descriptor):
            wait()
        yield Workroom(folder, descriptor)
    finally:
        os.close(descriptor)


def clear_other_rooms(settings: Settings, run_id: int | None) -> None:
    """Remove the folders of every run but this one; those that somebody works in stay."""
    for folder in _rooms(settings).glob("run-*"):
        found = _NAME.fullmatch(folder.name)
        if found is None or int(found[1]) == run_id:
            continue
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                if _locked(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _rooms(settings: Settings) -> Path:
    return settings.data_dir.resolve() / "work"


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
