"""``thumbs demo``: playground, bot and worker on one machine, started together and stopped together."""

import http.client
import json
import os
import queue
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from filelock import FileLock, Timeout
from pydantic import SecretStr

from cli.demo.processes import ChildProcesses, Event, OutputLine, ProcessExit, StopRequest
from cli.demo.worker_setup import WorkerSetup
from cli.errors import DemoRunning, ProcessEnded, ProcessSilent
from core.errors import PortTaken, UnwritableFile
from core.settings import Settings
from migrations.runner import upgrade
from storage.db.encryption import make_key_file, read_keys

PLAYGROUND, BOT = "playground", "bot"
# The person whom the playground's page is for at first.
PLAYGROUND_ADMIN = 1
READY_LINE = "playground listening on "
# Seconds until a demo that does not get ready is given up, and between two looks at whether the bot is polling.
PATIENCE, LOOK_EVERY = 60.0, 0.05


def run_demo(settings: Settings) -> None:
    """Start the playground and the bot, say where the page is, start the worker, and stop all on SIGINT or SIGTERM.

    Raises PortTaken, ProcessEnded when playground or bot end by themselves, and ProcessSilent when they do not get
    ready.
    """
    with stop_events() as events:
        demo = demo_settings(settings)
        with hold_demo_lock(demo.data_dir):
            _run(demo, events)


def _run(demo: Settings, events: queue.SimpleQueue[Event]) -> None:
    environment = child_environment(demo)
    with ChildProcesses(demo.data_dir / "logs", events) as children:
        address = ["--host", demo.playground_host, "--port", str(demo.playground_port)]
        place = ["--data-dir", str(demo.data_dir), "--token", demo.token]
        children.start(PLAYGROUND, [*address, *place], environment, demo.data_dir)
        upgrade(demo.database_address)
        children.start(BOT, [], environment, demo.data_dir)
        if _ready(demo, children, events):
            _say_where(demo)
            learning = WorkerSetup(children, environment, demo.data_dir)
            learning.start()  # only now: until somebody can chat, the processor is the bot's
            _until_stopped(children, events, learning)


def demo_settings(settings: Settings) -> Settings:
    """``settings`` with what the demo decides: all in the data folder, the playground for Telegram, a key, an admin."""
    data_dir = settings.data_dir.resolve()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile(path=data_dir, reason=error.strerror) from error
    port = usable_port(settings.playground_host, settings.playground_port)
    demo = settings.model_copy(
        update={
            "data_dir": data_dir,
            "database_url": None,
            "database_password_file": None,
            "playground_port": port,
            "telegram_api_url": _url(_reachable(settings.playground_host), port),
            "telegram_token": SecretStr(f"1000001:{secrets.token_urlsafe(26)}"),
            "telegram_token_file": None,
            "webhook_url": None,
            "broker_url": None,
            "artifact_store": None,
            "admin_ids": settings.admin_ids or (PLAYGROUND_ADMIN,),
        }
    )
    if demo.encryption_key is None:
        key_file = demo.encryption_key_file or data_dir / "encryption.key"
        if demo.encryption_key_file is None and not key_file.exists():
            make_key_file(key_file)
            typer.echo(
                f"Made a key in {key_file} that texts are encrypted with. Keep a copy of it away from the database."
            )
        demo = demo.model_copy(update={"encryption_key_file": key_file})
    read_keys(demo)
    return demo


@contextmanager
def hold_demo_lock(data_dir: Path) -> Iterator[None]:
    """Lock ``data_dir`` for this demo. Raises DemoRunning when another has it: both would answer the same people."""
    lock = FileLock(data_dir / "demo.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise DemoRunning(path=data_dir) from error
    with lock:
        yield


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of the demo's processes: each setting as in ``settings``, and none that has no value there.

    They run in the data folder, where no ``.env`` adds to it, so paths are absolute.
    """
    names = Settings.model_fields.keys()
    environment = {name: value for name, value in os.environ.items() if name.lower() not in names}
    for name in names:
        value = getattr(settings, name)
        if value is not None:
            environment[name.upper()] = _written(value)
    environment["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]))
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    # Not resolved: an environment's interpreter is a link to one that knows nothing of it.
    return str(value.absolute() if isinstance(value, Path) else value)


def usable_port(host: str, port: int) -> int:
    """``port`` if a server could listen on it now, or a free one for 0; raises PortTaken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        raise PortTaken(port=port, host=host, reason=error.strerror) from error


@contextmanager
def stop_events() -> Iterator[queue.SimpleQueue[Event]]:
    """A queue in which SIGINT and SIGTERM are events while the block runs."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    before = {
        number: signal.signal(number, lambda *_: events.put(StopRequest()))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield events
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ready(demo: Settings, children: ChildProcesses, events: queue.SimpleQueue[Event]) -> bool:
    """Wait until the playground listens and the bot polls; False when a stop was asked for before that."""
    deadline = time.monotonic() + PATIENCE
    listening = False
    while time.monotonic() < deadline:
        event = _next_event(events, LOOK_EVERY)
        if isinstance(event, StopRequest):
            return False
        _fail_if_ended(event, children)
        if isinstance(event, OutputLine) and event.name == PLAYGROUND and event.line.startswith(READY_LINE):
            listening = True
        if listening and event is None and _bot_is_polling(demo):
            return True
    silent = BOT if listening else PLAYGROUND
    raise ProcessSilent(name=silent, seconds=int(PATIENCE), log=children.log_of(silent))


def _until_stopped(children: ChildProcesses, events: queue.SimpleQueue[Event], learning: WorkerSetup) -> None:
    while not isinstance(event := events.get(), StopRequest):
        if not learning.heed(event):
            _fail_if_ended(event, children)
    typer.echo("Stopping...")


def _next_event(events: queue.SimpleQueue[Event], seconds: float) -> Event | None:
    try:
        return events.get(timeout=seconds)
    except queue.Empty:
        return None


def _fail_if_ended(event: Event | None, children: ChildProcesses) -> None:
    if isinstance(event, ProcessExit):
        name = event.name
        lines = "\n" + children.last_lines(name)
        raise ProcessEnded(name=name, status=event.status, log=children.log_of(name), lines=lines)


def _bot_is_polling(demo: Settings) -> bool:
    """Ask the playground whether the bot fetches updates from it."""
    connection = http.client.HTTPConnection(_reachable(demo.playground_host), demo.playground_port, timeout=5)
    try:
        connection.request("GET", "/sim/status")
        return bool(json.loads(connection.getresponse().read())["bot"]["polling"])
    except OSError:
        return False  # it is ending, which is an event of its own
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """The address that a process on this machine reaches a server on ``host`` by."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not listened on


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say_where(demo: Settings) -> None:
    typer.echo(f"Open {demo.telegram_api_url} and send a review. Ctrl-C stops.")
    typer.echo(f"Everything is kept in {_short(demo.data_dir)}; the logs are in {_short(demo.data_dir / 'logs')}.")


def _short(path: Path) -> str:
    """``path`` relative to the working folder when it lies in it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
