"""The reader as a process of its own, and what it says."""

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

_LOOK_EVERY: Final = 0.1
# Seconds that the reader has to load a model in.
_PATIENCE: Final = 60.0


@dataclass
class Told:
    """What the reader said so far: the names that it loaded or verified, and what was wrong with any."""

    loaded: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def hear(self, lines: Iterable[str]) -> None:
        """Take down every line until the reader ends."""
        for line in lines:
            said = json.loads(line)
            if said["error"]:
                self.refusals.append(said["error"])
            (self.loaded if said["what"] == "loaded" else self.verified).append(said["name"])

    def wait_until_loaded(self, version: str) -> None:
        """Return once this version was the last to be loaded or refused; raises TimeoutError."""
        until = time.monotonic() + _PATIENCE
        while self.loaded[-1:] != [version]:
            if time.monotonic() > until:
                raise TimeoutError(f"the reader did not look at {version} within {_PATIENCE:.0f} seconds")
            time.sleep(_LOOK_EVERY)


@contextmanager
def reading(home: ChaosEnvironment) -> Iterator[Told]:
    """A reader of this home's models for as long as the block runs."""
    told = Told()
    with (
        (home.folder / "reader.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.chaos.reader"],
            env=dict(home.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        hearing = threading.Thread(target=told.hear, args=(process.stdout or (),), daemon=True)
        hearing.start()
        try:
            yield told
        finally:
            if process.stdin is not None:
                process.stdin.close()
            hearing.join(_PATIENCE)
    if process.returncode != 0:
        told.refusals.append(f"the reader ended with status {process.returncode}")
