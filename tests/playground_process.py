"""The playground as a process of its own, for the tests that need a Bot API over HTTP."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from playground.client import PlaygroundClient

TOKEN = "7654321:playground-token-for-tests"
_READY = "playground listening on "
_STOPS_WITHIN = 20.0

StartPlayground = Callable[[], PlaygroundClient]


@contextmanager
def running_playground(data_dir: Path, token: str = TOKEN) -> Iterator[PlaygroundClient]:
    """A server on a free port that keeps its counters in ``data_dir``; SIGTERM ends it, and it has to end cleanly."""
    command = [sys.executable, "-m", "playground", "--port", "0", "--data-dir", str(data_dir), "--token", token]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(_READY), f"the playground said {line!r} instead of being ready"
            with PlaygroundClient(line.removeprefix(_READY).strip(), token) as client:
                yield client
        finally:
            process.terminate()
            rest, _ = process.communicate(timeout=_STOPS_WITHIN)
    assert (process.returncode, rest) == (0, "")


@pytest.fixture
def start_playground(tmp_path: Path) -> Iterator[StartPlayground]:
    """Start the server; called again, stop it and start it on what it left behind."""
    with ExitStack() as running:

        def start() -> PlaygroundClient:
            running.close()
            return running.enter_context(running_playground(tmp_path / "playground"))

        yield start


@pytest.fixture
def playground(start_playground: StartPlayground) -> PlaygroundClient:
    """A fresh server, and the client that plays its people."""
    return start_playground()
