"""Measures how much accuracy 500 corrections from a different domain add in that domain, and cost on IMDB.

    python -m benchmarks.training.feedback_value --data imdb.parquet --sentences rt_polarity.csv.gz

The corrections are sentences from a domain that the anchor was not trained on. Each of five draws of 500 sentences is
used for a separate feedback round with the ``feedback`` recipe. Two more rounds without interpolation use all 8,500
sentences that the draws come from: one with the recipe's frozen layers, and one with no frozen layers and the learning
rate from the ``default`` recipe. The draws are compared with the larger gain of these two rounds.

Every model is evaluated on the same 2,000 other sentences, and on official IMDB test reviews of movies outside the gate
set. The gate set is left out because its results influenced the choice of the recipe's interpolation. The remaining 162
sentences were used to tune the recipe and are not used here.
"""

import argparse
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import keras
import numpy as np
import pandas as pd
from rich.progress import Progress

from benchmarks.common.held_out_texts import shuffled
from benchmarks.common.mean_interval import MeanInterval, mean_interval
from benchmarks.common.options import add_imdb_option, add_out_option, add_sentences_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet, shared_texts, text_sets
from benchmarks.common.thumbs_command import count_parameters
from benchmarks.learning.texts import imdb_test_reviews
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.data.splits import exclude_texts
from ml.evaluation.comparison import Comparison, compare
from ml.evaluation.metrics import Labels
from ml.serving.engine import Classifier, Logits
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set
from ml.training.fine_tune import FineTuneJob, fine_tune
from ml.training.loop import TrainingCallbacks
from ml.training.recipe import Recipe
from worker.gate.gate_set import GateSet

_TEST, _POOL, _DRAWN = 2_000, 8_500, 500


@dataclass(frozen=True, slots=True)
class RoundResult:
    """A feedback round: the seconds until publication, and a comparison with the anchor on sentences and on IMDB."""

    corrections: int
    seconds: float
    sentences: Comparison
    imdb: Comparison


@dataclass(frozen=True, slots=True)
class FeedbackValueReport:
    """The content of ``benchmarks/results/feedback_value.json``. Accuracies and differences are shares from 0 to 1."""

    provenance: Provenance
    anchor: str
    parameters: int
    recipe: dict[str, Any]
    parts: dict[str, TextSet]
    shared_texts: int
    """Number of texts that are in more than one set, compared by fingerprint."""
    draws: list[RoundResult]
    all_of_them: dict[str, RoundResult]
    """Rounds on all sentences, by training method. The draws are taken from the same sentences."""
    lift: MeanInterval
    imdb_change: MeanInterval
    share_of_full_lift: float
    """``lift`` as a share of the larger gain in ``all_of_them``."""


@dataclass(frozen=True, slots=True)
class _FeedbackTexts:
    test: pd.DataFrame
    pool: pd.DataFrame
    tuning: pd.DataFrame
    imdb: pd.DataFrame

    @classmethod
    def split(cls, sentences: pd.DataFrame, known: DatasetSplits) -> "_FeedbackTexts":
        """Split the distinct sentences into disjoint parts with a fixed seed, and draw official test reviews."""
        rows = shuffled(sentences.drop_duplicates("text"))
        test, pool, tuning = rows[:_TEST], rows[_TEST : _TEST + _POOL], rows[_TEST + _POOL :]
        imdb = imdb_test_reviews(known, GateSet.choose(known))
        return cls(test, exclude_texts(pool, pd.concat([test, tuning])), exclude_texts(tuning, test), imdb)

    def by_name(self, known: DatasetSplits) -> dict[str, pd.DataFrame]:
        """Return all parts, keyed by name."""
        own = {"sentences to test": self.test, "sentences to draw from": self.pool, "sentences to tune on": self.tuning}
        imdb = {"IMDB to train": known.split.train, "IMDB dev": known.split.dev, "IMDB to test": self.imdb}
        return {**own, **imdb}


@dataclass(frozen=True, slots=True)
class _RoundRunner:
    """Runs feedback rounds from one anchor, and compares each model with the anchor.

    ``before`` contains the anchor's logits.
    """

    anchor: Classifier
    known: DatasetSplits
    recipe: Recipe
    texts: _FeedbackTexts
    before: tuple[Logits, Logits]

    def run_round(self, rows: pd.DataFrame, recipe: Recipe, folder: Path) -> RoundResult:
        """Run a feedback round on ``rows``, and evaluate the published model."""
        started = monotonic()
        corrections = Corrections(rows.reset_index(drop=True), "sentences", 0)
        training_set = feedback_training_set(corrections, self.known, self.anchor, recipe)
        job = FineTuneJob(base_model_from(self.anchor), training_set, recipe, folder / "round")
        manifest = fine_tune(job, TrainingCallbacks(lambda _: None, lambda: False))
        seconds = monotonic() - started
        keras.backend.clear_session()
        published = Classifier.load(job.out)
        names = self.anchor.version, manifest.version
        after = [_logits(published, part) for part in (self.texts.test, self.texts.imdb)]
        found = [
            compare(names, before, logits, _labels(part))
            for before, logits, part in zip(self.before, after, (self.texts.test, self.texts.imdb), strict=True)
        ]
        return RoundResult(len(rows), round(seconds, 1), *found)


def main() -> None:
    """Measure, write and print the results."""
    arguments = _arguments()
    recipe = Recipe.load("feedback")
    known = DatasetSplits.from_reviews(read_reviews(arguments.data), arguments.data, recipe, None)
    anchor = Classifier.load(arguments.model)
    texts = _FeedbackTexts.split(read_reviews(arguments.sentences), known)
    runner = _RoundRunner(anchor, known, recipe, texts, (_logits(anchor, texts.test), _logits(anchor, texts.imdb)))
    samples = [texts.pool.sample(_DRAWN, random_state=seed) for seed in range(arguments.draws)]
    without_interpolation = replace(recipe, interpolation=1.0)
    rate = Recipe.load("default").learning_rate
    on_everything = {
        f"{recipe.frozen_layers} layers frozen": without_interpolation,
        "no layer frozen": replace(without_interpolation, frozen_layers=0, learning_rate=rate),
    }
    plans = [*((rows, recipe) for rows in samples), *((texts.pool, plan) for plan in on_everything.values())]
    with TemporaryDirectory() as folder, Progress() as bar:
        rounds = [runner.run_round(rows, plan, Path(folder)) for rows, plan in bar.track(plans, description="Rounds")]
    report = _report(runner, rounds[: len(samples)], dict(zip(on_everything, rounds[len(samples) :], strict=True)))
    write_results(arguments.out, report)
    _print(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.feedback_value",
        description="Measure the gain from corrections in another domain.",
    )
    add_imdb_option(parser)
    add_sentences_option(parser)
    parser.add_argument("--model", type=Path, default=Settings.model_fields["anchor"].default, help="the anchor")
    parser.add_argument("--draws", type=int, default=5, help="number of draws of corrections")
    add_out_option(parser, "feedback_value")
    return parser.parse_args()


def _report(runner: _RoundRunner, draws: list[RoundResult], everything: dict[str, RoundResult]) -> FeedbackValueReport:
    parts = runner.texts.by_name(runner.known)
    lift = mean_interval([draw.sentences.difference for draw in draws])
    return FeedbackValueReport(
        provenance=provenance("keras", "tensorflow", "openvino", "numpy"),
        anchor=runner.anchor.version,
        parameters=count_parameters(runner.anchor.folder),
        recipe=asdict(runner.recipe),
        parts=text_sets(parts),
        shared_texts=shared_texts(parts.values()),
        draws=draws,
        all_of_them=everything,
        lift=lift,
        imdb_change=mean_interval([draw.imdb.difference for draw in draws]),
        share_of_full_lift=lift.mean / max(each.sentences.difference for each in everything.values()),
    )


def _logits(classifier: Classifier, texts: pd.DataFrame) -> Logits:
    logits, _ = classifier.engine.logits(texts["text"].tolist())
    return logits


def _labels(texts: pd.DataFrame) -> Labels:
    return texts["label"].to_numpy(np.int8)


def _print(report: FeedbackValueReport) -> None:
    print(f"anchor {report.anchor}, {report.parameters:,} parameters")
    for name, part in report.parts.items():
        print(f"  {name:22} {part.reviews:>6} texts, digest {part.digest}")
    print(f"  texts in more than one part: {report.shared_texts}")
    named = {f"draw {number}": row for number, row in enumerate(report.draws, start=1)}
    for name, row in {**named, **report.all_of_them}.items():
        print(f"  {name:16} {row.corrections:>5} corrections, {row.seconds:5.0f} s", end="  ")
        print(f"sentences {row.sentences.first_accuracy:.2%} to {row.sentences.second_accuracy:.2%}", end="  ")
        print(f"IMDB {row.imdb.first_accuracy:.2%} to {row.imdb.second_accuracy:.2%}")
    lift, change = report.lift, report.imdb_change
    print(f"  mean lift {lift.mean:+.2%} ({lift.low:+.2%} to {lift.high:+.2%}), ", end="")
    print(f"{report.share_of_full_lift:.0%} of the gain from all of them")
    print(f"  mean change on IMDB {change.mean:+.2%} ({change.low:+.2%} to {change.high:+.2%})")


if __name__ == "__main__":
    main()
