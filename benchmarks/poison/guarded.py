"""A training run as the product carries it out: people's words in a database, the trainer as a process, the gate."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.fernet import Fernet
from pydantic import SecretStr

from benchmarks.learning.admin import HELD_BETTER
from benchmarks.poison.effects import Effect, effect_of
from benchmarks.poison.network import SmallNetwork
from benchmarks.poison.people import Judged
from benchmarks.poison.texts import Texts
from cli.corrections.importer import import_corrections
from core.settings import Settings
from migrations import runner
from ml.serving.artifact import manifest_hash
from ml.serving.engine import Classifier
from storage.db.database import Database
from storage.db.states import RunKind, RunState, SnapshotPart, Trigger
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.training import runs, snapshots
from storage.training.runs import Run
from worker.runs.executor import WorkerContext, execute_run


@dataclass(frozen=True, slots=True)
class GuardedLoop:
    """What became of the run: its end, the gate's sentence, and how many texts trained and measured.

    ``planted_train`` and ``planted_held_out`` are those that colluders planted. ``lower`` is the end of the interval
    that the gate went by, of the change on its IMDB reviews, a share; ``words`` are those that the trigger scan found.
    ``effect`` is None for a candidate that was rejected, whose files are gone.
    """

    state: RunState
    sentence: str
    train: int
    planted_train: int
    held_out: int
    planted_held_out: int
    lower: float
    words: tuple[str, ...]
    effect: Effect | None

    @property
    def tapped(self) -> bool:
        """Whether an admin promotes it: held although it is better on feedback, with no word that stands out."""
        return self.state is RunState.HELD and self.sentence.startswith(HELD_BETTER) and not self.words

    @property
    def live(self) -> bool:
        """Whether it goes live, by the gate or by an admin who reads the card and taps Promote."""
        return self.state is RunState.PROMOTED or self.tapped


def run_guarded(place: Path, network: SmallNetwork, texts: Texts, judged: Judged, recipe: Path) -> GuardedLoop:
    """Bring what people say into a new database, and carry out one run; ``place`` keeps what many runs share.

    Raises RuntimeError when the run came to no decision.
    """
    key = SecretStr(Fernet.generate_key().decode())
    with TemporaryDirectory(dir=place) as folder:
        settings = Settings(
            _env_file=None,
            data_dir=place,
            database_url=f"sqlite:///{folder}/thumbs.db",
            artifact_store=f"{folder}/models",
            encryption_key=key,
            model=network.anchor,
            anchor=network.anchor,
            imdb_path=network.reviews,
            feedback_recipe=str(recipe),
            serving_threads=1,
        )
        runner.upgrade(settings.database_address)
        database = Database.open(settings.database_address, [key.get_secret_value()])
        try:
            return _carried_out(settings, database, texts, judged)
        finally:
            database.close()


def _carried_out(settings: Settings, database: Database, texts: Texts, judged: Judged) -> GuardedLoop:
    version = Classifier.load(settings.anchor, settings.serving_threads).version
    with database.unit_of_work() as unit:
        registry.register(unit, version, manifest_hash(settings.anchor), str(settings.anchor))
        registry.make_live(unit, version, "the case begins")
    import_corrections(database, settings, judged.said, None, lambda done, of: None)
    with database.unit_of_work() as unit:
        run_id = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run.id
    execute_run(WorkerContext(settings, database, lambda: False), run_id)
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
        parts = [[row.text for row in snapshots.labelled_texts(unit, run_id, part)] for part in SnapshotPart]
    if run.decision is None:
        raise RuntimeError(f"the run ended {run.state}: {run.error}")
    train, held_out = parts
    return GuardedLoop(
        state=run.state,
        sentence=run.decision["sentence"],
        train=len(train),
        planted_train=len(judged.planted.intersection(train)),
        held_out=len(held_out),
        planted_held_out=len(judged.planted.intersection(held_out)),
        lower=run.decision["figures"]["imdb"]["lower"],
        words=tuple(found["word"] for found in run.decision["figures"]["trigger_words"]),
        effect=_effect(settings, database, run, texts),
    )


def _effect(settings: Settings, database: Database, run: Run, texts: Texts) -> Effect | None:
    """What the candidate does, as it was published."""
    if run.state is RunState.REJECTED:
        return None
    with database.reading() as unit:
        published = registry.get_version(unit, run.candidate or "")
    with TemporaryDirectory() as folder:
        fetched = ArtifactStore.open(settings.store_address).fetch(published.location, Path(folder))
        return effect_of(Classifier.load(fetched, settings.serving_threads), texts)
