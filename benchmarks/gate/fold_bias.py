"""Measures whether fold models are as accurate as the candidate that they stand in for in the gate.

    python -m benchmarks.gate.fold_bias --data ../shared/data

In each draw, some sentences get a vote. A feedback round trains a candidate on all of them, and the fold models are the
heads that the gate would fit. All of these models are evaluated on the same other sentences, which none of them was
trained on.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import keras
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.common.held_out_texts import shuffled
from benchmarks.common.mean_interval import MeanInterval, mean_interval
from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet, text_set
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.data.splits import exclude_texts
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from ml.training.correction_head import HeadExamples
from ml.training.corrections import Corrections
from ml.training.cross_fit import assign_folds, fold_heads
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set
from ml.training.fine_tune import FineTuneJob, fine_tune
from ml.training.frozen_features import FrozenEncoder
from ml.training.loop import TrainingCallbacks
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingSet

_POSITIVE = LABELS.index("Positive")


@dataclass(frozen=True, slots=True)
class Draw:
    """Accuracies on the unseen sentences, 0 to 1. ``folds`` is the mean accuracy of the fold models."""

    votes: int
    anchor: float
    folds: float
    candidate: float


@dataclass(frozen=True, slots=True)
class FoldBiasReport:
    """The content of ``benchmarks/results/fold_bias.json``. Accuracies and differences are shares from 0 to 1."""

    provenance: Provenance
    anchor: str
    unseen: TextSet
    draws: list[Draw]
    bias: MeanInterval
    """The fold models' accuracy minus the candidate's."""


@dataclass(frozen=True, slots=True)
class FoldBiasTexts:
    """The anchor's data, the sentences that can get votes, and the ``unseen`` sentences to evaluate on."""

    known: DatasetSplits
    pool: pd.DataFrame
    unseen: pd.DataFrame

    @classmethod
    def read(cls, reviews: Path, sentences: Path, recipe: Recipe, unseen: int) -> Self:
        """Read both files, and set aside ``unseen`` sentences for evaluation."""
        known = DatasetSplits.from_reviews(read_reviews(reviews), reviews, recipe, None)
        rows = shuffled(exclude_texts(read_reviews(sentences), known.split.train))
        return cls(known, exclude_texts(rows[unseen:], rows[:unseen]), rows[:unseen])


def measure(anchor: Classifier, recipe: Recipe, texts: FoldBiasTexts, voted: pd.DataFrame, folder: Path) -> Draw:
    """Train a candidate and fold models on ``voted``, and evaluate them on the unseen sentences."""
    unseen = texts.unseen
    encoder = FrozenEncoder(anchor)
    training_set = feedback_training_set(Corrections(voted, "sentences", 0), texts.known, encoder, recipe)
    job = FineTuneJob(base_model_from(anchor), training_set, recipe, folder / "candidate")
    fine_tune(job, TrainingCallbacks(lambda _: None, lambda: False))
    keras.backend.clear_session()
    labels = unseen["label"].to_numpy(np.int8)
    found, before = (model.engine.logits(unseen["text"].tolist())[0] for model in (Classifier.load(job.out), anchor))
    return Draw(
        votes=len(voted),
        anchor=float((before.argmax(axis=1) == labels).mean()),
        folds=_fold_accuracy(encoder, training_set, unseen),
        candidate=float((found.argmax(axis=1) == labels).mean()),
    )


def _fold_accuracy(encoder: FrozenEncoder, training_set: TrainingSet, unseen: pd.DataFrame) -> float:
    voted, replay = training_set.corrections, training_set.replayed
    features = encoder.read([*voted["text"], *replay.texts, *unseen["text"]], lambda _: None)
    inputs, margins = features.standardised(), features.margins
    read = len(voted) + len(replay.texts)
    targets = np.concatenate([voted["label"].to_numpy() == _POSITIVE, replay.targets[:, _POSITIVE]]).astype(np.float64)
    folds = assign_folds([str(row) for row in range(len(voted))])
    heads = fold_heads(HeadExamples(inputs[:read], margins[:read], targets), folds, np.ones(len(voted), np.bool_))
    positive = unseen["label"].to_numpy() == _POSITIVE
    correct = [((margins[read:] + inputs[read:] @ weights > 0) == positive).mean() for weights in heads]
    return float(np.mean(correct))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate.fold_bias", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with imdb.parquet and the sentences")
    parser.add_argument(
        "--sentences", default="rt_polarity.csv.gz", help="name of the file with labelled sentences in the folder"
    )
    parser.add_argument("--model", type=Path, default=Settings.model_fields["anchor"].default, help="the anchor")
    parser.add_argument("--recipe", default="feedback", help="name or file of the recipe for the candidates")
    parser.add_argument("--votes", type=int, default=500, help="number of sentences with votes in each draw")
    parser.add_argument("--unseen", type=int, default=2_000, help="number of sentences to evaluate on")
    parser.add_argument("--draws", type=int, default=5, help="number of draws, at least 2")
    add_out_option(parser, "fold_bias")
    given = parser.parse_args(arguments)
    if given.draws < 2:
        parser.error("--draws must be at least 2, because the results include an interval over the draws")
    recipe, anchor = Recipe.load(given.recipe), Classifier.load(given.model)
    texts = FoldBiasTexts.read(given.data / "imdb.parquet", given.data / given.sentences, recipe, given.unseen)
    draws = []
    with TemporaryDirectory() as folder, Progress() as bar:
        for seed in bar.track(range(given.draws), description="Rounds"):
            voted = texts.pool.sample(given.votes, random_state=seed).reset_index(drop=True)
            draws.append(measure(anchor, recipe, texts, voted, Path(folder)))
    bias = mean_interval([draw.folds - draw.candidate for draw in draws])
    libraries = provenance("keras", "tensorflow", "openvino", "numpy", "scipy")
    report = FoldBiasReport(libraries, anchor.version, text_set(texts.unseen), draws, bias)
    write_results(given.out, report)
    _print(report)


def _print(report: FoldBiasReport) -> None:
    table = Table("draw", "votes", "anchor", "fold models", "candidate")
    for number, draw in enumerate(report.draws, start=1):
        accuracies = (draw.anchor, draw.folds, draw.candidate)
        table.add_row(str(number), str(draw.votes), *(f"{share:.2%}" for share in accuracies))
    console, bias = Console(), report.bias
    console.print(table)
    console.print(f"Bias of the fold models: {bias.mean:+.2%} ({bias.low:+.2%} to {bias.high:+.2%})")


if __name__ == "__main__":
    main()
