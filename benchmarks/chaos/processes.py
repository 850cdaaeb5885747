"""Runs and restarts the worker and the beat as a service manager would, and finds their child processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_TRAINER_MODULE: Final = b"worker.trainer"
# Seconds to wait for a process to end after SIGTERM.
_STOP_TIMEOUT: Final = 40.0


class Service:
    """A Python module that runs in a separate process group. The output goes to a log file.

    ``name`` is the log file's name, and ``arguments`` are the interpreter's arguments.
    """

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._arguments = tuple(arguments)
        self._environment = dict(environment)
        self._folder = folder
        self.log = folder / f"{name}.log"
        self.unexpected_exits = 0
        """Number of times the process exited without being killed."""
        self._process = self._start()

    @classmethod
    def thumbs(cls, command: str, environment: Mapping[str, str], folder: Path) -> Self:
        """Start a ``thumbs`` command."""
        return cls(command, ("-m", "cli.main", command), environment, folder)

    @property
    def pid(self) -> int:
        """The current process's id."""
        return self._process.pid

    def kill(self, group: bool = False) -> None:
        """Send SIGKILL to the process or its whole group, and start a new process."""
        if group:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        self._process = self._start()

    def kill_children(self) -> None:
        """Send SIGKILL to the process's children, which it then replaces."""
        for child in child_processes(self.pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def restart_if_ended(self) -> None:
        """Restart the process if it has exited, and count this as an unexpected exit."""
        if self._process.poll() is not None:
            self.unexpected_exits += 1
            self._process = self._start()

    def stop(self) -> None:
        """Send SIGTERM. After a while, send SIGKILL to any processes that are still running."""
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
    """Return the id of the trainer process that one of the worker's children started, or None if there is none."""
    for child in child_processes(worker):
        for trainer in child_processes(child):
            if _TRAINER_MODULE in _command_line(trainer):
                return trainer
    return None


def child_processes(process: int) -> list[int]:
    """Return the ids of the child processes that a process's threads started."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return sorted(found)


def processes_with_environment(text: str) -> Iterator[int]:
    """Yield the ids of the processes whose environment contains ``text``."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if text.encode() in (folder / "environ").read_bytes():
                yield int(folder.name)


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
