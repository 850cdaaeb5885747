"""The demo's processes report their output as events, and all of them end with the demo, however it ends."""

import os
import queue
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo import processes
from cli.demo.processes import ChildProcesses, Event, OutputLine, ProcessExit

WAIT = 30.0

TALKER = """
    import signal, sys, threading
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("ready", *sys.argv[1:], flush=True)
    stop.wait()
    print("bye", flush=True)
"""
STUBBORN = """
    import signal, threading
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    threading.Event().wait()
"""
QUITTER = """
    import sys
    print("no such model", file=sys.stderr)
    sys.exit(3)
"""
HOLDER = """
    import sys, threading
    pipe = open(sys.argv[1], "w")
    print("open", file=pipe, flush=True)
    threading.Event().wait()
"""
STARTER = """
    import os, queue, sys
    from pathlib import Path
    from cli.demo.processes import ChildProcesses, OutputLine

    events = queue.SimpleQueue()
    with ChildProcesses(Path("logs"), events) as children:
        children.start("holder", ["pipe"], dict(os.environ), Path.cwd())
        while isinstance(event := events.get(), OutputLine):
            print(event.line, file=sys.stderr, flush=True)
"""
MODULES = {"talker": TALKER, "stubborn": STUBBORN, "quitter": QUITTER, "holder": HOLDER, "starter": STARTER}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which child processes can import the modules above."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


@pytest.fixture
def events() -> queue.SimpleQueue[Event]:
    return queue.SimpleQueue()


@pytest.fixture
def children(tmp_path: Path, events: queue.SimpleQueue[Event]) -> Iterator[ChildProcesses]:
    with ChildProcesses(tmp_path / "logs", events) as started:
        yield started


def test_a_line_of_output_is_an_event_and_is_logged(
    tmp_path: Path, children: ChildProcesses, events: queue.SimpleQueue[Event], environment: dict[str, str]
) -> None:
    children.start("talker", ["loud", "and clear"], environment, tmp_path)
    assert events.get(timeout=WAIT) == OutputLine("talker", "ready loud and clear")
    children.stop()
    assert events.get(timeout=WAIT) == OutputLine("talker", "bye")
    assert events.get(timeout=WAIT) == ProcessExit("talker", 0)
    assert children.log_path("talker").read_text(encoding="utf-8") == "ready loud and clear\nbye\n"


def test_an_unexpected_exit_is_an_event_and_the_last_lines_are_kept(
    tmp_path: Path, children: ChildProcesses, events: queue.SimpleQueue[Event], environment: dict[str, str]
) -> None:
    children.start("quitter", [], environment, tmp_path)
    assert events.get(timeout=WAIT) == OutputLine("quitter", "no such model")
    assert events.get(timeout=WAIT) == ProcessExit("quitter", 3)
    assert children.last_lines("quitter") == "no such model"


def test_a_process_that_ignores_sigterm_is_killed(
    tmp_path: Path,
    children: ChildProcesses,
    events: queue.SimpleQueue[Event],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    children.start("stubborn", [], environment, tmp_path)
    assert events.get(timeout=WAIT) == OutputLine("stubborn", "ready")
    children.stop()
    assert events.get(timeout=WAIT) == ProcessExit("stubborn", -signal.SIGKILL)


def test_processes_end_when_their_starter_is_killed(tmp_path: Path, environment: dict[str, str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    errors = tmp_path / "errors"
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)  # a blocking open would wait for a writer
    with (
        os.fdopen(reading, "rb", buffering=0) as pipe,
        errors.open("wb") as log,
        subprocess.Popen([sys.executable, "-m", "starter"], env=environment, cwd=tmp_path, stderr=log) as starter,
        os.fdopen(os.pidfd_open(starter.pid), "rb", buffering=0) as exit_of_starter,
    ):
        readable, _, _ = select.select([pipe, exit_of_starter], [], [], WAIT)
        starter.kill()
        assert pipe in readable, f"the pipe was not opened: {errors.read_text(encoding='utf-8')}"
        assert pipe.read(16) == b"open\n"
        assert select.select([pipe], [], [], WAIT)[0], "the process outlived its starter"
        assert pipe.read(16) == b""
