"""Reads the demo's database: the consensus on labelled sentences, the training run, and its models."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from core.settings import Settings
from ml.evaluation.comparison import Comparison, compare
from ml.serving.engine import Classifier, Logits
from ml.text.labels import LABELS
from playground.state.people import ADMIN_ID
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.db.states import SnapshotPart
from storage.db.tables import SnapshotRow
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import EligibilityRules, voted_texts
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.training import runs


@dataclass(frozen=True, slots=True)
class ConsensusCounts:
    """The numbers of sentences in all rounds so far, by consensus.

    ``wrong`` counts usable sentences with a wrong label.
    """

    usable: int
    waiting: int
    quarantined: int
    wrong: int


@dataclass(frozen=True, slots=True)
class RunFigures:
    """A training run: its training sentences, the decision, and the time when the model went live.

    ``held_out`` is the number of sentences used only to measure the models.

    ``seconds`` is the time from the worker's claim to the end of the run. ``live_at`` is a ``time.time()`` timestamp,
    or None if the candidate did not go live. A rejected candidate is not ``published``, so it cannot be evaluated.
    """

    champion: str
    candidate: str
    published: bool
    train: int
    held_out: int
    state: str
    sentence: str
    still_needed: int | None
    seconds: float
    live_at: float | None


class DemoRecords:
    """The database and artifact store of a demo, which may be running."""

    def __init__(self, data_dir: Path) -> None:
        self._settings = Settings(
            data_dir=data_dir,
            encryption_key_file=data_dir / "encryption.key",
            admin_ids=(ADMIN_ID,),
            _env_file=None,
        )

    def consensus_counts(self, labels: Mapping[str, str]) -> ConsensusCounts:
        """Count the labelled sentences by consensus. ``labels`` contains the true labels, keyed by text."""
        rules, admins = EligibilityRules.from_settings(self._settings), frozenset(self._settings.admin_ids)
        with self._database() as database, database.reading() as unit:
            true = {unit.cipher.fingerprint(text): label for text, label in labels.items()}
            found = list(voted_texts(unit, rules.quorum, admins))
        states = Counter(text.consensus.state for text in found)
        wrong = sum(
            text.consensus.state is ConsensusState.USABLE and text.consensus.label != true[text.text_hash]
            for text in found
        )
        return ConsensusCounts(
            states[ConsensusState.USABLE], states[ConsensusState.WAITING], states[ConsensusState.QUARANTINED], wrong
        )

    def newest_run(self) -> RunFigures:
        """Return the figures for the newest run. Raise ValueError if the run has no decision."""
        counts = select(SnapshotRow.part, func.count()).group_by(SnapshotRow.part)
        with self._database() as database, database.reading() as unit:
            run = runs.newest_runs(unit, 1)[0]
            parts = dict(unit.execute(counts.where(SnapshotRow.run_id == run.id)).all())
            changes = registry.changes(unit)
            versions = {version.version for version in registry.versions(unit)}
        if run.decision is None or run.started_at is None or run.finished_at is None:
            raise ValueError(f"run {run.id} has no decision")
        return RunFigures(
            champion=run.champion or "",
            candidate=run.candidate or "",
            published=run.candidate in versions,
            train=parts.get(SnapshotPart.TRAIN, 0),
            held_out=parts.get(SnapshotPart.MEASURE, 0),
            state=run.state,
            sentence=run.decision["sentence"],
            still_needed=run.decision["needed"],
            seconds=round((run.finished_at - run.started_at).total_seconds(), 1),
            live_at=next((one.at.timestamp() for one in changes if one.to_version == run.candidate), None),
        )

    def compare_models(self, run: RunFigures, texts: pd.DataFrame) -> Comparison | None:
        """Compare the run's champion (first) and candidate (second) on ``texts``.

        Return None if the candidate was rejected.
        """
        if not run.published:
            return None
        before, after = (self._logits(version, texts) for version in (run.champion, run.candidate))
        return compare((run.champion, run.candidate), before, after, texts["label"].to_numpy(np.int8))

    def _logits(self, version: str, texts: pd.DataFrame) -> Logits:
        """Return a published version's logits, with shape (texts, labels)."""
        with self._database() as database, database.reading() as unit:
            location = registry.get_version(unit, version).location
        folder = ArtifactStore.open(self._settings.store_address).fetch(location, self._settings.data_dir)
        found, _ = Classifier.load(folder).engine.logits(texts["text"].tolist())
        return found

    @contextmanager
    def _database(self) -> Iterator[Database]:
        database = Database.open(self._settings.database_address, read_keys(self._settings))
        try:
            yield database
        finally:
            database.close()


def labels_by_text(table: pd.DataFrame) -> dict[str, str]:
    """Return the label of each text."""
    return {text: LABELS[label] for text, label in table[["text", "label"]].to_numpy().tolist()}
