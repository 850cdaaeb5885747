"""Starts, logs and stops the demo's child processes.

Their output and exits arrive as events in a single queue, so the supervisor waits in only one place.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

# Seconds to wait for a process to exit after SIGTERM before it is killed.
GRACE = 8.0
_LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class OutputLine:
    """The process ``name`` wrote ``line`` (without the newline) to standard output or standard error."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """The process ``name`` exited with ``status``, which is negative if a signal ended it."""

    name: str
    status: int


@dataclass(frozen=True, slots=True)
class StopRequest:
    """SIGINT or SIGTERM asked the demo to stop."""


Event = OutputLine | ProcessExit | StopRequest


class ChildProcesses:
    """Runs modules as child processes, and stops them all when the block ends or this process exits."""

    def __init__(self, logs: Path, events: queue.SimpleQueue[Event]) -> None:
        self.logs = logs
        self._events = events
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self._last_lines: dict[str, deque[str]] = {}
        # When this process ends, the pipe closes and the children notice it (see run_with_parent).
        self._pipe_reader, self._pipe_writer = os.pipe()

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        os.close(self._pipe_writer)
        os.close(self._pipe_reader)

    def start(
        self,
        module: str,
        arguments: list[str],
        environment: Mapping[str, str],
        folder: Path,
        python: Path | None = None,
    ) -> None:
        """Run ``python -m module`` in ``folder``. The output is logged to ``logs/module.log`` and reported as events.

        ``python`` defaults to the interpreter of this process.
        """
        process = subprocess.Popen(
            [python or sys.executable, "-m", "cli.demo.run_with_parent", str(self._pipe_reader), module, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=[self._pipe_reader],
            start_new_session=True,  # Ctrl-C in a terminal must reach only this process, which stops the children
        )
        self._processes[module] = process
        self._last_lines[module] = deque(maxlen=_LAST_LINES)
        reader = threading.Thread(target=self._read_output, args=(module, process), name=f"{module} log", daemon=True)
        self._readers.append(reader)
        reader.start()

    def log_path(self, name: str) -> Path:
        """Return the path of the log file for ``name``."""
        return self.logs / f"{name}.log"

    def last_lines(self, name: str) -> str:
        """Return the last lines that ``name`` wrote."""
        return "\n".join(self._last_lines[name])

    def stop(self) -> None:
        """Stop all processes in reverse order: send SIGTERM, then SIGKILL to any process still running after ``GRACE``.

        The order is reversed because a process may depend on earlier ones until it exits.
        """
        for process in reversed(self._processes.values()):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=GRACE)
            except subprocess.TimeoutExpired:
                _kill_group(process.pid)
                process.wait()
            _kill_group(process.pid)  # processes that the child started and left behind
        for reader in self._readers:
            reader.join(GRACE)

    def _read_output(self, name: str, process: "subprocess.Popen[str]") -> None:
        output: IO[str] | None = process.stdout
        if output is None:
            raise RuntimeError(f"{name} was started without a pipe")
        try:
            with output, self.log_path(name).open("w", encoding="utf-8") as log:
                for line in output:
                    log.write(line)
                    log.flush()
                    self._last_lines[name].append(line.rstrip("\n"))
                    self._events.put(OutputLine(name, line.rstrip("\n")))
        finally:
            self._events.put(ProcessExit(name, process.wait()))


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
