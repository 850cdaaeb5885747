"""Worker and beat as a service manager runs them, restarted when they end; and a search for their children."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_TRAINER_MODULE: Final = b"worker.trainer"
# Seconds for a process to end after SIGTERM.
_STOP_TIMEOUT: Final = 40.0


class Service:
    """A Python module that runs in a separate process group, with its output in a log file.

    ``name`` names the log file; ``arguments`` are those of the interpreter.
    """

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._arguments = tuple(arguments)
        self._environment = dict(environment)
        self._folder = folder
        self.log = folder / f"{name}.log"
        self.unexpected_exits = 0
        """How often the process ended without being killed."""
        self._process = self._start()

    @classmethod
    def thumbs(cls, command: str, environment: Mapping[str, str], folder: Path) -> Self:
        """Start a command of ``thumbs``."""
        return cls(command, ("-m", "cli.main", command), environment, folder)

    @property
    def pid(self) -> int:
        """The id of the current process."""
        return self._process.pid

    def kill(self, group: bool = False) -> None:
        """Send SIGKILL to the process, or to its whole group, and start a new process."""
        if group:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        self._process = self._start()

    def kill_children(self) -> None:
        """Send SIGKILL to the process's children, which the process itself replaces."""
        for child in child_processes(self.pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def restart_if_ended(self) -> None:
        """Restart the process if it ended, and count that as unexpected."""
        if self._process.poll() is not None:
            self.unexpected_exits += 1
            self._process = self._start()

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL to the processes that are left after a while."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_TIMEOUT)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *self._arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def find_trainer(worker: int) -> int | None:
    """Return the trainer that one of the worker's children started, or None."""
    for child in child_processes(worker):
        for trainer in child_processes(child):
            if _TRAINER_MODULE in _command_line(trainer):
                return trainer
    return None


def child_processes(process: int) -> list[int]:
    """Return the children of all threads of a process."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return sorted(found)


def processes_with_environment(text: str) -> Iterator[int]:
    """Yield the processes whose environment contains ``text``."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if text.encode() in (folder / "environ").read_bytes():
                yield int(folder.name)


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
