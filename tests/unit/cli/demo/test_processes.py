"""The demo's processes: what they say arrives, and all of them end, whatever way their starter ends."""

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

from cli.demo import processes as children_module
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
DEAF = """
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
    held = open(sys.argv[1], "w")
    threading.Event().wait()
"""
STARTER = """
    import os, queue, sys
    from pathlib import Path
    from cli.demo.processes import ChildProcesses

    events = queue.SimpleQueue()
    with ChildProcesses(Path("logs"), events) as children:
        children.start("holder", ["pipe"], dict(os.environ), Path.cwd())
        events.get()
"""
MODULES = {"talker": TALKER, "deaf": DEAF, "quitter": QUITTER, "holder": HOLDER, "starter": STARTER}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which the modules above are found."""
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


def test_what_a_process_says_is_an_event_and_is_kept(
    tmp_path: Path, children: ChildProcesses, events: queue.SimpleQueue[Event], environment: dict[str, str]
) -> None:
    children.start("talker", ["loud", "and clear"], environment, tmp_path)
    assert events.get(timeout=WAIT) == OutputLine("talker", "ready loud and clear")
    children.stop()
    assert events.get(timeout=WAIT) == OutputLine("talker", "bye")
    assert events.get(timeout=WAIT) == ProcessExit("talker", 0)
    assert children.log_of("talker").read_text(encoding="utf-8") == "ready loud and clear\nbye\n"


def test_a_process_that_ends_by_itself_is_an_event_with_its_last_words(
    tmp_path: Path, children: ChildProcesses, events: queue.SimpleQueue[Event], environment: dict[str, str]
) -> None:
    children.start("quitter", [], environment, tmp_path)
    assert events.get(timeout=WAIT) == OutputLine("quitter", "no such model")
    assert events.get(timeout=WAIT) == ProcessExit("quitter", 3)
    assert children.last_lines("quitter") == "no such model"


def test_a_process_that_does_not_heed_is_killed(
    tmp_path: Path,
    children: ChildProcesses,
    events: queue.SimpleQueue[Event],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children_module, "GRACE", 0.2)
    children.start("deaf", [], environment, tmp_path)
    assert events.get(timeout=WAIT) == OutputLine("deaf", "ready")
    children.stop()
    assert events.get(timeout=WAIT) == ProcessExit("deaf", -signal.SIGKILL)


def test_processes_end_when_their_starter_is_killed(tmp_path: Path, environment: dict[str, str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "starter"]
    with (
        subprocess.Popen(command, env=environment, cwd=tmp_path) as starter,
        (tmp_path / "pipe").open("rb") as held,  # opens once the process has opened its end
    ):
        starter.kill()
        ended, _, _ = select.select([held], [], [], WAIT)
        assert ended, "the process outlived its starter"
        assert held.read() == b""
