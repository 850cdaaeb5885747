"""Runs feedback rounds from one anchor, evaluates them, and keeps the results of finished rounds in a checkpoint."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Self

import keras
import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from benchmarks.training.vote_texts import text_logits
from core.files import replaced
from ml.evaluation.comparison import Comparison, compare
from ml.serving.engine import Classifier, Logits
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set
from ml.training.fine_tune import FineTuneJob, fine_tune
from ml.training.frozen_features import FrozenEncoder
from ml.training.loop import TrainingCallbacks
from ml.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class RoundResult:
    """A feedback round: the seconds until publication, and a comparison with the anchor on texts and on IMDB."""

    votes: int
    seconds: float
    texts: Comparison
    imdb: Comparison


@dataclass(frozen=True, slots=True)
class RoundCheckpoint:
    """The results of finished rounds by key, in a JSON file. An interrupted benchmark runs only the other rounds.

    ``plan`` is a hash of everything that decides the results. Results of a different plan are discarded.
    """

    path: Path
    plan: str
    results: dict[str, RoundResult]

    @classmethod
    def open(cls, path: Path, plan: str) -> Self:
        """Read the file if it exists and belongs to the plan."""
        content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        found = content.get("results", {}) if content.get("plan") == plan else {}
        return cls(path, plan, TypeAdapter(dict[str, RoundResult]).validate_python(found))

    def add(self, key: str, result: RoundResult) -> None:
        """Record a finished round."""
        self.results[key] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {"plan": self.plan, "results": {name: asdict(each) for name, each in self.results.items()}}
        with replaced(self.path) as part:
            part.write_text(json.dumps(content), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class HeldOutTexts:
    """Texts to test on (columns ``text`` and ``label``), and the anchor's logits for them."""

    table: pd.DataFrame
    before: Logits

    @classmethod
    def read(cls, anchor: Classifier, table: pd.DataFrame) -> Self:
        """Run the anchor on the texts."""
        return cls(table, text_logits(anchor, table))

    def compare(self, anchor: Classifier, published: Classifier) -> Comparison:
        """Compare a published model with the anchor."""
        labels = self.table["label"].to_numpy(np.int8)
        return compare((anchor.version, published.version), self.before, text_logits(published, self.table), labels)


@dataclass(frozen=True, slots=True)
class RoundRunner:
    """Runs rounds from ``anchor``, which was trained on ``known``, and tests them on the reviews in ``imdb``."""

    anchor: Classifier
    known: DatasetSplits
    imdb: HeldOutTexts

    def run_round(self, votes: pd.DataFrame, test: HeldOutTexts, recipe: Recipe) -> RoundResult:
        """Run a feedback round on ``votes``, and compare the published model with the anchor on ``test`` and IMDB."""
        started = monotonic()
        with TemporaryDirectory() as folder:
            encoder = FrozenEncoder(self.anchor)
            training_set = feedback_training_set(Corrections(votes, "votes", 0), self.known, encoder, recipe)
            job = FineTuneJob(base_model_from(self.anchor), training_set, recipe, Path(folder) / "round")
            fine_tune(job, TrainingCallbacks(lambda _: None, lambda: False))
            seconds = monotonic() - started
            keras.backend.clear_session()
            published = Classifier.load(job.out)
            texts, imdb = (each.compare(self.anchor, published) for each in (test, self.imdb))
        return RoundResult(len(votes), round(seconds, 1), texts, imdb)
