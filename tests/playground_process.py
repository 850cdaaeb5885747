"""The playground as a separate process, for tests that need a Bot API over HTTP."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from playground.client import PlaygroundClient
from playground.state.lesson import Lesson

TOKEN = "7654321:playground-token-for-tests"
_READY = "playground listening on "
_STOP_SECONDS = 20.0

StartPlayground = Callable[[], PlaygroundClient]


@contextmanager
def running_playground(
    data_dir: Path, token: str = TOKEN, host: str = "127.0.0.1", lesson: Lesson | None = None
) -> Iterator[PlaygroundClient]:
    """Run a server on a free port with its state in ``data_dir``. Stop it with SIGTERM and check its exit status."""
    command = [sys.executable, "-m", "playground", "--host", host, "--port", "0", "--data-dir", str(data_dir)]
    if lesson is not None:
        path = data_dir.with_suffix(".lesson.json")
        path.write_text(lesson.model_dump_json(), encoding="utf-8")
        command += ["--lesson", str(path)]
    environment = {**os.environ, "TELEGRAM_TOKEN": token}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(_READY), f"the playground printed {line!r} instead of its address"
            with PlaygroundClient(line.removeprefix(_READY).strip(), token) as client:
                yield client
        finally:
            process.terminate()
            rest, _ = process.communicate(timeout=_STOP_SECONDS)
    assert (process.returncode, rest) == (0, "")


@pytest.fixture
def start_playground(tmp_path: Path) -> Iterator[StartPlayground]:
    """Return a function that starts the server. Calling it again restarts the server with its state."""
    with ExitStack() as running:

        def start() -> PlaygroundClient:
            running.close()
            return running.enter_context(running_playground(tmp_path / "playground"))

        yield start


@pytest.fixture
def playground(start_playground: StartPlayground) -> PlaygroundClient:
    """Start a fresh server and return a client that acts as its people."""
    return start_playground()
