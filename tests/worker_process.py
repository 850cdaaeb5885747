"""Runs workers as separate processes with a shared database, broker and artifact store."""

import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import pytest
from paths import ROOT

from core.settings import Settings

SOON = 40.0


@dataclass
class StandIn:
    """A fake trainer that waits for orders (see ``stand_in_trainer``)."""

    process_id: int
    line: TextIO

    def order(self, word: str) -> None:
        """Send an order. If it is ``deaf``, wait until the trainer confirms it."""
        self.line.write(f"{word}\n")
        self.line.flush()
        if word == "deaf":
            assert self.line.readline() == "deaf\n"


@dataclass
class WorkerHome:
    """The resources that workers share, and the server to which their stand-in trainers connect."""

    settings: Settings
    environment: dict[str, str]
    _trainers: socket.socket

    @classmethod
    @contextmanager
    def made(cls, folder: Path, **settings: str) -> "Iterator[WorkerHome]":
        """Create a home with the stand-in trainer. ``settings`` are environment variables."""
        python = folder / "python"
        # This interpreter passes the check for Keras (`-c`) on to Python and otherwise runs the stand-in.
        python.write_text(
            f"#!{sys.executable}\n"
            "import os, sys\n"
            f"python, trainer = {sys.executable!r}, {str(ROOT / 'tests' / 'stand_in_trainer.py')!r}\n"
            "os.execv(python, [python, *sys.argv[1:]] if sys.argv[1] == '-c' else [python, trainer])\n",
            encoding="utf-8",
        )
        python.chmod(0o755)
        (folder / "var").mkdir()
        given = {"DATA_DIR": str(folder / "var"), "TRAINING_PYTHON": str(python), **settings}
        names = {name.upper() for name in Settings.model_fields}
        others = {name: value for name, value in os.environ.items() if name.upper() not in names}
        values: dict[str, Any] = {name.lower(): value for name, value in given.items()}
        with socket.create_server(("127.0.0.1", 0)) as trainers:
            trainers.settimeout(SOON)
            port = str(trainers.getsockname()[1])
            environment = {**others, **given, "STAND_IN": port, "PYTHONPATH": str(ROOT)}
            yield cls(Settings(_env_file=None, **values), environment, trainers)

    def trainer(self) -> StandIn:
        """Wait for the next trainer to start."""
        connection, _ = self._trainers.accept()
        connection.settimeout(SOON)
        line = connection.makefile("rw")
        return StandIn(int(line.readline()), line)

    def no_trainer_connected(self) -> bool:
        """Return True if no other trainer has connected."""
        return not select.select([self._trainers], [], [], 0)[0]


@dataclass
class WorkerProcess:
    """A running worker and its log."""

    process: "subprocess.Popen[str]"
    log: list[str] = field(default_factory=list)
    _lines: "queue.SimpleQueue[str | None]" = field(default_factory=queue.SimpleQueue)

    def read_log(self) -> None:
        """Read the worker's log until it ends."""
        for line in self.process.stderr or ():
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, words: str, seconds: float = SOON) -> str:
        """Return the next log line that contains these words. Fail the test if the worker ends before writing it."""
        until = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                line = None
            if line is None:
                pytest.fail(f"the worker never logged {words!r}:\n" + "".join(self.log))
            self.log.append(line)
            if words in line:
                return line


@contextmanager
def running_worker(home: WorkerHome, *arguments: str, **settings: str) -> Iterator[WorkerProcess]:
    """Yield a worker that is ready.

    Afterwards, SIGTERM must end it cleanly and promptly, unless it has already been killed.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", "worker", *arguments],
        cwd=home.settings.data_dir,
        env={**home.environment, **settings},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        worker = WorkerProcess(process)
        reader = threading.Thread(target=worker.read_log, daemon=True)
        reader.start()
        try:
            worker.wait_for(" ready.")
            yield worker
        finally:
            process.terminate()
            try:
                process.wait(SOON)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            reader.join(SOON)
    assert process.returncode in (0, -signal.SIGKILL), (process.returncode, "".join(worker.log))
