"""What 500 corrections from another domain are worth, and what they cost on IMDB.

    python -m benchmarks.training.feedback_value --data imdb.parquet --sentences rt_polarity.csv.gz

The anchor meets sentences of a domain that it was not trained on. Five draws of 500 of them are given as corrections,
each in a feedback round of its own by the recipe ``feedback``; then all 8,500 that the draws are from, published as
they were trained, without the recipe's interpolation: once with its frozen layers, and once with none, at the learning
rate of the recipe ``default``. The larger lift of those two is the bar. All are measured on one fixed set of 2,000
others, and on official test reviews of IMDB, whole movies that the gate's reviews do not have, as the recipe's
interpolation was chosen by what the gate lets pass. The 162 sentences that are left are what the recipe was
tuned on; they are in none of this.
"""

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import keras
import numpy as np
import pandas as pd
from rich.progress import Progress

from benchmarks.common.arguments import parameters
from benchmarks.common.mean_interval import Mean, mean_of
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.text_sets import Part, parts_of, shared_texts
from benchmarks.learning.texts import gate_and_other_reviews
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

_TEST, _POOL, _DRAWN = 2_000, 8_500, 500
_SEED = 42


@dataclass(frozen=True, slots=True)
class Round:
    """One feedback round: against the anchor on the test sentences and on IMDB, and the seconds it took to publish."""

    corrections: int
    seconds: float
    sentences: Comparison
    imdb: Comparison


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/feedback_value.json`` holds; accuracies and their differences are shares."""

    provenance: Provenance
    anchor: str
    parameters: int
    recipe: dict[str, Any]
    parts: dict[str, Part]
    shared_texts: int
    """Texts that stand in two of the parts, counted by their fingerprints."""
    draws: list[Round]
    all_of_them: dict[str, Round]
    """Rounds on all that the draws are from, by how they were trained."""
    lift: Mean
    imdb_change: Mean
    share_of_full_lift: float
    """Of the larger lift that all of them gave."""


@dataclass(frozen=True, slots=True)
class _Texts:
    test: pd.DataFrame
    pool: pd.DataFrame
    tuning: pd.DataFrame
    imdb: pd.DataFrame

    @classmethod
    def cut(cls, sentences: pd.DataFrame, known: DatasetSplits) -> "_Texts":
        """Each sentence once, shuffled by a fixed seed and in one part only, and official test reviews."""
        once = sentences.drop_duplicates("text")
        shuffled = once.iloc[np.random.default_rng(_SEED).permutation(len(once))].reset_index(drop=True)
        test, pool, tuning = shuffled[:_TEST], shuffled[_TEST : _TEST + _POOL], shuffled[_TEST + _POOL :]
        _, imdb = gate_and_other_reviews(known)
        return cls(test, exclude_texts(pool, pd.concat([test, tuning])), exclude_texts(tuning, test), imdb)

    def named(self, known: DatasetSplits) -> dict[str, pd.DataFrame]:
        """Every part by its name."""
        own = {"sentences to test": self.test, "sentences to draw from": self.pool, "sentences to tune on": self.tuning}
        imdb = {"IMDB to train": known.split.train, "IMDB dev": known.split.dev, "IMDB to test": self.imdb}
        return {**own, **imdb}


@dataclass(frozen=True, slots=True)
class _Bench:
    """What every round is run with and held against."""

    anchor: Classifier
    known: DatasetSplits
    recipe: Recipe
    texts: _Texts
    before: tuple[Logits, Logits]

    def round(self, rows: pd.DataFrame, recipe: Recipe, folder: Path) -> Round:
        """Carry out a feedback round on ``rows`` and measure what it published."""
        started = monotonic()
        corrections = Corrections(rows.reset_index(drop=True), "sentences", 0)
        training_set = feedback_training_set(corrections, self.known, self.anchor, recipe)
        order = FineTuneJob(base_model_from(self.anchor), training_set, recipe, folder / "round")
        manifest = fine_tune(order, TrainingCallbacks(lambda _: None, lambda: False))
        seconds = monotonic() - started
        keras.backend.clear_session()
        published = Classifier.load(order.out)
        names = self.anchor.version, manifest.version
        after = [_logits(published, part) for part in (self.texts.test, self.texts.imdb)]
        found = [
            compare(names, before, logits, _labels(part))
            for before, logits, part in zip(self.before, after, (self.texts.test, self.texts.imdb), strict=True)
        ]
        return Round(len(rows), round(seconds, 1), *found)


def main() -> None:
    """Measure, write the JSON and print it as a table."""
    arguments = _arguments()
    recipe = Recipe.load("feedback")
    known = DatasetSplits.from_reviews(read_reviews(arguments.data), arguments.data, recipe, None)
    anchor = Classifier.load(arguments.model)
    texts = _Texts.cut(read_reviews(arguments.sentences), known)
    bench = _Bench(anchor, known, recipe, texts, (_logits(anchor, texts.test), _logits(anchor, texts.imdb)))
    samples = [texts.pool.sample(_DRAWN, random_state=seed) for seed in range(arguments.draws)]
    whole = replace(recipe, interpolation=1.0)
    rate = Recipe.load("default").learning_rate
    bars = {
        f"{recipe.frozen_layers} layers frozen": whole,
        "no layer frozen": replace(whole, frozen_layers=0, learning_rate=rate),
    }
    plans = [*((rows, recipe) for rows in samples), *((texts.pool, bar) for bar in bars.values())]
    with TemporaryDirectory() as folder, Progress() as bar:
        rounds = [bench.round(rows, plan, Path(folder)) for rows, plan in bar.track(plans, description="Rounds")]
    report = _report(bench, rounds[: len(samples)], dict(zip(bars, rounds[len(samples) :], strict=True)))
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.feedback_value", description=(__doc__ or "")[:79]
    )
    parser.add_argument("--data", type=Path, required=True, help="IMDB reviews with the official split: parquet")
    parser.add_argument("--sentences", type=Path, required=True, help="labelled sentences of another domain: CSV")
    parser.add_argument("--model", type=Path, default=Settings.model_fields["anchor"].default, help="the anchor")
    parser.add_argument("--draws", type=int, default=5, help="draws of corrections")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/feedback_value.json"), help="results file")
    return parser.parse_args()


def _report(bench: _Bench, draws: list[Round], everything: dict[str, Round]) -> Report:
    parts = bench.texts.named(bench.known)
    lift = mean_of([draw.sentences.difference for draw in draws])
    return Report(
        provenance=provenance("keras", "tensorflow", "openvino", "numpy"),
        anchor=bench.anchor.version,
        parameters=parameters(bench.anchor.folder),
        recipe=asdict(bench.recipe),
        parts=parts_of(parts),
        shared_texts=shared_texts(parts.values()),
        draws=draws,
        all_of_them=everything,
        lift=lift,
        imdb_change=mean_of([draw.imdb.difference for draw in draws]),
        share_of_full_lift=lift.mean / max(each.sentences.difference for each in everything.values()),
    )


def _logits(classifier: Classifier, texts: pd.DataFrame) -> Logits:
    logits, _ = classifier.engine.logits(texts["text"].tolist())
    return logits


def _labels(texts: pd.DataFrame) -> Labels:
    return texts["label"].to_numpy(np.int8)


def _print(report: Report) -> None:
    print(f"anchor {report.anchor}, {report.parameters:,} parameters")
    for name, part in report.parts.items():
        print(f"  {name:22} {part.reviews:>6} texts, digest {part.digest}")
    print(f"  texts in two parts: {report.shared_texts}")
    named = {f"draw {number}": row for number, row in enumerate(report.draws, start=1)}
    for name, row in {**named, **report.all_of_them}.items():
        print(f"  {name:16} {row.corrections:>5} corrections, {row.seconds:5.0f} s", end="  ")
        print(f"sentences {row.sentences.first_accuracy:.2%} to {row.sentences.second_accuracy:.2%}", end="  ")
        print(f"IMDB {row.imdb.first_accuracy:.2%} to {row.imdb.second_accuracy:.2%}")
    lift, change = report.lift, report.imdb_change
    print(f"  mean lift {lift.mean:+.2%} ({lift.low:+.2%} to {lift.high:+.2%}), ", end="")
    print(f"{report.share_of_full_lift:.0%} of what all of them give")
    print(f"  mean change on IMDB {change.mean:+.2%} ({change.low:+.2%} to {change.high:+.2%})")


if __name__ == "__main__":
    main()
