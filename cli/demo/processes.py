"""The processes that the demo starts: their logs, what they say, and their end.

Everything that happens to them arrives as an event in one queue, so that whoever waits, waits in one place.
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

# Seconds that a process has to end after SIGTERM before it is killed.
GRACE = 8.0
LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class OutputLine:
    """The process ``name`` wrote ``line``, without its end, to standard output or standard error."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """The process ``name`` ended with ``status``; negative for a signal."""

    name: str
    status: int


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Someone asked for the end of everything, by SIGINT or SIGTERM."""


Event = OutputLine | ProcessExit | StopRequest


class ChildProcesses:
    """Starts modules as processes that end with this one, and stops them all when the block ends."""

    def __init__(self, logs: Path, events: queue.SimpleQueue[Event]) -> None:
        self.logs = logs
        self._events = events
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._pumps: list[threading.Thread] = []
        self._last_lines: dict[str, deque[str]] = {}
        self._leash, self._held = os.pipe()

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        os.close(self._held)
        os.close(self._leash)

    def start(
        self,
        module: str,
        arguments: list[str],
        environment: Mapping[str, str],
        folder: Path,
        python: Path | None = None,
    ) -> None:
        """Run ``python -m module`` in ``folder``; what it writes goes to ``logs/module.log`` and becomes events.

        The interpreter is this process's own unless another is named.
        """
        process = subprocess.Popen(
            [python or sys.executable, "-m", "cli.demo.run_with_parent", str(self._leash), module, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=[self._leash],
            start_new_session=True,  # a terminal's Ctrl-C goes to this process only, which then stops the others
        )
        self._processes[module] = process
        self._last_lines[module] = deque(maxlen=LAST_LINES)
        pump = threading.Thread(target=self._pump, args=(module, process), name=f"{module} log", daemon=True)
        self._pumps.append(pump)
        pump.start()

    def log_of(self, name: str) -> Path:
        """The file that keeps what ``name`` writes."""
        return self.logs / f"{name}.log"

    def last_lines(self, name: str) -> str:
        """The last lines that ``name`` wrote."""
        return "\n".join(self._last_lines[name])

    def stop(self) -> None:
        """End all processes, the last started first: SIGTERM, then SIGKILL to one that outlives the grace.

        A process may need those that were started before it until it has ended.
        """
        for process in reversed(self._processes.values()):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=GRACE)
            except subprocess.TimeoutExpired:
                _kill_group(process.pid)
                process.wait()
            _kill_group(process.pid)  # what it had started and left behind
        for pump in self._pumps:
            pump.join(GRACE)

    def _pump(self, name: str, process: "subprocess.Popen[str]") -> None:
        output: IO[str] | None = process.stdout
        if output is None:
            raise RuntimeError(f"{name} was started without a pipe")
        try:
            with output, self.log_of(name).open("w", encoding="utf-8") as log:
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
