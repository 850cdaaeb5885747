"""Runs the reader as a separate process and records its events."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from benchmarks.chaos.environment import ChaosEnvironment

_POLL_INTERVAL: Final = 0.1
# Seconds to wait for the reader to load a model.
_LOAD_TIMEOUT: Final = 60.0


@dataclass
class ReaderLog:
    """The reader's events so far: names of loaded models, names of verified models, and errors."""

    loaded: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def read_events(self, lines: Iterable[str]) -> None:
        """Record every line until the reader exits."""
        for line in lines:
            event = json.loads(line)
            if event["error"]:
                self.refusals.append(event["error"])
            (self.loaded if event["what"] == "loaded" else self.verified).append(event["name"])

    def wait_until_loaded(self, version: str) -> None:
        """Wait until ``version`` is the latest version to be loaded or rejected.

        Raise TimeoutError if that takes too long.
        """
        deadline = time.monotonic() + _LOAD_TIMEOUT
        while self.loaded[-1:] != [version]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the reader did not load {version} within {_LOAD_TIMEOUT:.0f} seconds")
            time.sleep(_POLL_INTERVAL)


@contextmanager
def running_reader(environment: ChaosEnvironment) -> Iterator[ReaderLog]:
    """Run a reader for this environment's models during the block, and yield its events."""
    events = ReaderLog()
    with (
        (environment.folder / "reader.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.chaos.reader"],
            env=dict(environment.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        listener = threading.Thread(target=events.read_events, args=(process.stdout or (),), daemon=True)
        listener.start()
        try:
            yield events
        finally:
            if process.stdin is not None:
                process.stdin.close()
            listener.join(_LOAD_TIMEOUT)
    if process.returncode != 0:
        events.refusals.append(f"the reader ended with status {process.returncode}")
