"""The worker and the beat as an operator keeps them: processes that are started again when they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

_TRAINER: Final = b"worker.trainer"
# Seconds that a process has to end in when it is told to.
_PATIENCE: Final = 40.0


class Service:
    """A command of ``thumbs`` in a process group of its own, with what it says in a file."""

    def __init__(self, command: str, environment: Mapping[str, str], folder: Path) -> None:
        self._command = command
        self._environment = dict(environment)
        self._folder = folder
        self.log = folder / f"{command}.log"
        self.ended_by_itself = 0
        """How often the process ended though nobody had killed it."""
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._process.pid

    def kill(self, group: bool = False) -> None:
        """SIGKILL to the process, or to its whole group, and a new process in its place."""
        if group:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        self._process = self._start()

    def revive(self) -> None:
        """Start it again if it ended, which it should not have."""
        if self._process.poll() is not None:
            self.ended_by_itself += 1
            self._process = self._start()

    def stop(self) -> None:
        """End it as an operator does; SIGKILL to what is left after a while."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "cli.main", self._command],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def trainer_of(worker: int) -> int | None:
    """The trainer that one of the worker's children started; None where none runs."""
    for child in children(worker):
        for trainer in children(child):
            if _TRAINER in _command_of(trainer):
                return trainer
    return None


def children(process: int) -> list[int]:
    """The children of a process, of whichever of its threads."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return sorted(found)


def processes_with(words: str) -> Iterator[int]:
    """The processes whose environment holds ``words``."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if words.encode() in (folder / "environ").read_bytes():
                yield int(folder.name)


def _command_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
