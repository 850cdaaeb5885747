"""``thumbs demo`` runs the playground, the bot and the worker on one machine, and stops them together."""

import http.client
import json
import queue
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from filelock import FileLock, Timeout

from cli.addresses import reachable_host
from cli.demo.lesson import ADA, write_lesson
from cli.demo.processes import ChildProcesses, Event, OutputLine, ProcessExit, StopRequest
from cli.demo.settings import child_environment, demo_settings
from cli.demo.worker_setup import WorkerSetup
from cli.errors import DemoRunning, ProcessEnded, ProcessNotReady
from core.settings import Settings
from migrations.runner import upgrade

PLAYGROUND, BOT = "playground", "bot"
READY_LINE = "playground listening on "
# Seconds within which the demo must be ready, and seconds between checks that the bot is polling the playground.
READY_TIMEOUT, POLL_INTERVAL = 60.0, 0.05

Events = queue.SimpleQueue[Event]


def run_demo(settings: Settings) -> None:
    """Start the playground and the bot, print the page's URL, start the worker, and stop them all on SIGINT or SIGTERM.

    Raise DemoRunning, PortTaken, ProcessEnded if the playground or the bot exits unexpectedly, or ProcessNotReady if
    they aren't ready in time.
    """
    with stop_events() as events:
        demo = demo_settings(settings)
        with hold_demo_lock(demo.data_dir):
            _run(demo, events)


@contextmanager
def stop_events() -> Iterator[Events]:
    """Yield a queue in which SIGINT and SIGTERM arrive as events while the block runs."""
    events: Events = queue.SimpleQueue()
    before = {
        number: signal.signal(number, lambda *_: events.put(StopRequest()))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield events
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def hold_demo_lock(data_dir: Path) -> Iterator[None]:
    """Lock ``data_dir`` for this demo.

    Raise DemoRunning if another demo is using it, since both would reply in the same chats.
    """
    lock = FileLock(data_dir / "demo.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise DemoRunning(path=data_dir) from error
    with lock:
        yield


def _run(demo: Settings, events: Events) -> None:
    environment = child_environment(demo)
    with ChildProcesses(demo.data_dir / "logs", events) as children:
        children.start(PLAYGROUND, _playground_arguments(demo), environment, demo.data_dir)
        upgrade(demo.database_address)
        children.start(BOT, [], environment, demo.data_dir)
        if _wait_until_ready(demo, children, events):
            _print_address(demo)
            worker = WorkerSetup(children, environment, demo.data_dir)
            worker.start()  # started last, so that the bot has the CPU to itself until people can chat
            _wait_for_stop(children, events, worker)


def _playground_arguments(demo: Settings) -> list[str]:
    address = ["--host", demo.playground_host, "--port", str(demo.playground_port), "--data-dir", str(demo.data_dir)]
    # The lesson needs Ada, the playground's admin, to be an admin of the bot as well.
    return [*address, "--lesson", str(write_lesson(demo.data_dir))] if ADA in demo.admin_ids else address


def _wait_until_ready(demo: Settings, children: ChildProcesses, events: Events) -> bool:
    """Wait until the playground is listening and the bot is polling it. Return False if a stop is requested first."""
    deadline = time.monotonic() + READY_TIMEOUT
    listening = False
    while time.monotonic() < deadline:
        event = _next_event(events, POLL_INTERVAL)
        if isinstance(event, StopRequest):
            return False
        _raise_if_ended(event, children)
        if isinstance(event, OutputLine) and event.name == PLAYGROUND and event.line.startswith(READY_LINE):
            listening = True
        if listening and event is None and _bot_is_polling(demo):
            return True
    name = BOT if listening else PLAYGROUND
    raise ProcessNotReady(name=name, seconds=int(READY_TIMEOUT), log=children.log_path(name))


def _wait_for_stop(children: ChildProcesses, events: Events, worker: WorkerSetup) -> None:
    while not isinstance(event := events.get(), StopRequest):
        if not worker.handle(event):
            _raise_if_ended(event, children)
    typer.echo("Stopping...")


def _next_event(events: Events, seconds: float) -> Event | None:
    try:
        return events.get(timeout=seconds)
    except queue.Empty:
        return None


def _raise_if_ended(event: Event | None, children: ChildProcesses) -> None:
    if isinstance(event, ProcessExit):
        name = event.name
        lines = "\n" + children.last_lines(name)
        raise ProcessEnded(name=name, status=event.status, log=children.log_path(name), lines=lines)


def _bot_is_polling(demo: Settings) -> bool:
    """Ask the playground whether the bot is polling it for updates."""
    connection = http.client.HTTPConnection(reachable_host(demo.playground_host), demo.playground_port, timeout=5)
    try:
        connection.request("GET", "/sim/status")
        return bool(json.loads(connection.getresponse().read())["bot"]["polling"])
    except OSError:
        return False  # the playground is exiting, which is reported as an event
    finally:
        connection.close()


def _print_address(demo: Settings) -> None:
    typer.echo(f"Open {demo.telegram_api_url} and send a review. Press Ctrl-C to stop.")
    typer.echo(f"All data is in {_shorten(demo.data_dir)}; the logs are in {_shorten(demo.data_dir / 'logs')}.")


def _shorten(path: Path) -> str:
    """Return ``path`` relative to the working folder if it is inside that folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
