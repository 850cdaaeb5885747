"""An installation of Thumbs for one encoder: database, broker, playground, bot and worker as separate processes."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet

from benchmarks.chaos.plan import Transport
from benchmarks.chaos.processes import Service
from benchmarks.common.servers import create_database, environment_with, postgres_server
from core.settings import Settings
from migrations import runner
from playground.client import PlaygroundClient
from storage.db.database import Database
from tests.redis_server import RedisServer

_TOKEN: Final = "7654321:playground-token-for-the-benchmark"
_LISTENING: Final = "playground listening on "
# Words from the bot's log once it answers.
_BOT_READY: Final = "Answering with model"
_POLL_INTERVAL: Final = 0.1
_START_TIMEOUT: Final = 120.0
# The candidate of few steps is worse than a model should be, and a rejected one would never reach the bot.
_LENIENT_GATE: Final = {"GATE_IMDB_LOSS": "1", "GATE_NEGATIVE_FLIPS": "1", "GATE_BEHAVIOUR_LOSS": "1"}


@dataclass
class Installation:
    """Settings, database and processes.

    The trainer runs with TRAINING_PYTHON if it is set, otherwise with this interpreter.
    """

    folder: Path
    variables: dict[str, str]
    client: PlaygroundClient
    _services: ExitStack
    _database: ExitStack

    @property
    def environment(self) -> dict[str, str]:
        """The environment for commands and processes."""
        return environment_with(self.variables)

    @property
    def settings(self) -> Settings:
        """The settings that the processes use."""
        values: dict[str, Any] = {name.lower(): value for name, value in self.variables.items()}
        return Settings(_env_file=None, **values)

    def open_database(self) -> Database:
        """Create the tables, and keep the database open until the installation ends."""
        runner.upgrade(self.settings.database_address)
        database = Database.open(self.settings.database_address, [self.variables["ENCRYPTION_KEY"]])
        self._database.callback(database.close)
        return database

    def start(self, name: str, *arguments: str) -> Service:
        """Start ``thumbs`` with these arguments and a log called ``name``.

        The process runs until the installation ends.
        """
        service = Service(name, ("-m", "cli.main", *arguments), self.environment, self.folder)
        self._services.callback(service.stop)
        return service

    def stop_processes(self) -> None:
        """Stop all Thumbs processes, but leave the database open."""
        self._services.close()

    def start_bot(self, model: Path) -> Service:
        """Start the bot with ``model``, and wait until it answers."""
        self.variables["MODEL"] = str(model)
        bot = self.start("bot", "bot")
        _wait_for_log(bot, _BOT_READY)
        return bot


@contextmanager
def installation(folder: Path, transport: Transport, base: str, reviews: Path, recipe: Path) -> Iterator[Installation]:
    """Yield an installation in ``folder`` with a running playground. Its full runs train ``base`` on ``reviews``."""
    (folder / "var").mkdir()
    variables = {
        "DATA_DIR": str(folder / "var"),
        "ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "TELEGRAM_TOKEN": _TOKEN,
        "ADMIN_IDS": "1",
        "BASE_MODEL": base,
        "FULL_RECIPE": str(recipe),
        "IMDB_PATH": str(reviews),
        "RETRAIN_AFTER": "0",
        "RETRAIN_DAYS": "0",
        **_LENIENT_GATE,
    }
    if python := os.environ.get("TRAINING_PYTHON"):
        variables["TRAINING_PYTHON"] = python
    with ExitStack() as stack:
        if transport is Transport.REDIS:
            (folder / "redis").mkdir()
            variables["BROKER_URL"] = stack.enter_context(RedisServer.running(folder / "redis")).address
            variables["DATABASE_URL"] = create_database(stack.enter_context(postgres_server()), "thumbs")
        arguments = ("-m", "playground", "--port", "0", "--data-dir", str(folder / "playground"))
        playground = Service("playground", arguments, environment_with(variables), folder)
        stack.callback(playground.stop)
        line = _wait_for_log(playground, _LISTENING)
        client = stack.enter_context(PlaygroundClient(line.partition(_LISTENING)[2].strip(), _TOKEN))
        variables["TELEGRAM_API_URL"] = client.url
        opened = stack.enter_context(ExitStack())
        yield Installation(folder, variables, client, stack.enter_context(ExitStack()), opened)


def _wait_for_log(service: Service, words: str) -> str:
    """Wait for the first log line that contains ``words``, and return it.

    Raise RuntimeError if none appears in time.
    """
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        log = service.log.read_text(encoding="utf-8", errors="replace")
        for line in log.splitlines():
            if words in line:
                return line
        time.sleep(_POLL_INTERVAL)
    raise RuntimeError(f"{service.log.name} never contained {words!r}:\n{log}")
