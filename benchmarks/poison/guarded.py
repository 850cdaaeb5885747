"""Runs a case under the project's rules: votes imported into a database, a training run, and the gate."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.fernet import Fernet
from pydantic import SecretStr

from benchmarks.learning.admin import HELD_BUT_BETTER
from benchmarks.poison.effects import Effect, measure_effect
from benchmarks.poison.network import PoisonNetwork
from benchmarks.poison.people import CaseVotes
from benchmarks.poison.texts import PoisonTexts
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
class GuardedOutcome:
    """The outcome of a run: its final state, the gate's explanation, and the number of training texts.

    ``held_out`` is the number of texts used only to measure the models. ``planted_train`` and ``planted_held_out``
    count how many of these texts were planted. ``lower`` is the lower end of the gate's interval for the change in
    accuracy on its IMDB reviews, as a share. ``words`` are the words that the trigger scan reported. ``effect`` is None
    for a rejected candidate, because its files are deleted.
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
    def promoted_by_admin(self) -> bool:
        """Whether an admin promotes the model, which must be held, better on feedback, and free of trigger words."""
        return self.state is RunState.HELD and self.sentence.startswith(HELD_BUT_BETTER) and not self.words

    @property
    def goes_live(self) -> bool:
        """Whether the gate or an admin promotes the model."""
        return self.state is RunState.PROMOTED or self.promoted_by_admin


def run_guarded(
    folder: Path, network: PoisonNetwork, texts: PoisonTexts, case_votes: CaseVotes, recipe: Path
) -> GuardedOutcome:
    """Import a case's votes into a new database and execute one run. The runs on one core share ``folder``.

    Raise RuntimeError if the run ends without a decision.
    """
    key = SecretStr(Fernet.generate_key().decode())
    with TemporaryDirectory(dir=folder) as own:
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            database_url=f"sqlite:///{own}/thumbs.db",
            artifact_store=f"{own}/models",
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
            return _execute(settings, database, texts, case_votes)
        finally:
            database.close()


def _execute(settings: Settings, database: Database, texts: PoisonTexts, case_votes: CaseVotes) -> GuardedOutcome:
    version = Classifier.load(settings.anchor, settings.serving_threads).version
    with database.unit_of_work() as unit:
        registry.register(unit, version, manifest_hash(settings.anchor), str(settings.anchor))
        registry.make_live(unit, version, "the case starts")
    import_corrections(database, settings, case_votes.votes, None, lambda done, of: None)
    with database.unit_of_work() as unit:
        run_id = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run.id
    execute_run(WorkerContext(settings, database, lambda: False), run_id)
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
        train, held_out = (
            [row.text for row in snapshots.labelled_texts(unit, run_id, part)]
            for part in (SnapshotPart.TRAIN, SnapshotPart.MEASURE)
        )
    if run.decision is None:
        raise RuntimeError(f"the run ended as {run.state}, without a decision: {run.error}")
    return GuardedOutcome(
        state=run.state,
        sentence=run.decision["sentence"],
        train=len(train),
        planted_train=len(case_votes.planted.intersection(train)),
        held_out=len(held_out),
        planted_held_out=len(case_votes.planted.intersection(held_out)),
        lower=run.decision["figures"]["imdb"]["lower"],
        words=tuple(found["word"] for found in run.decision["figures"]["trigger_words"]),
        effect=_candidate_effect(settings, database, run, texts),
    )


def _candidate_effect(settings: Settings, database: Database, run: Run, texts: PoisonTexts) -> Effect | None:
    """Measure the published candidate, or return None if it was rejected."""
    if run.state is RunState.REJECTED:
        return None
    with database.reading() as unit:
        published = registry.get_version(unit, run.candidate or "")
    with TemporaryDirectory() as folder:
        fetched = ArtifactStore.open(settings.store_address).fetch(published.location, Path(folder))
        return measure_effect(Classifier.load(fetched, settings.serving_threads), texts)
