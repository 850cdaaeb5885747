"""How good the published model is on all official test reviews, as it is served.

    python -m benchmarks.starter --data imdb.parquet --doubtful imdb_test_label_errors.csv

``--doubtful`` lists test reviews whose label five people were asked about (Northcutt et al. 2021); figures are given
with and without those that lose their label.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

from benchmarks.command import parameters
from benchmarks.parts import Part, part_of, shared_texts
from benchmarks.provenance import Provenance, provenance
from config.settings import Settings
from ml.data import read_reviews
from ml.doubtful_labels import doubtful_rows
from ml.evaluation import Figures, figures
from ml.intervals import wilson_interval
from ml.prediction import Classifier, Logits
from ml.recipe import Recipe
from ml.splits import official_split
from ml.training_data import TrainingData

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/starter.json`` holds; shares are 0 to 1, intervals 95 % (Wilson)."""

    provenance: Provenance
    version: str
    parameters: int
    window: int
    overlap: int
    engine: str
    train: Part
    dev: Part
    test: Part
    shared_texts: int
    """Texts that stand in two of the three parts, counted by their fingerprints."""
    on_dev: Figures
    on_test: Figures
    interval: tuple[float, float]
    without_doubtful: Figures
    by_windows: dict[str, tuple[int, float]]
    """Reviews and accuracy by the number of windows that a review is read in."""


def main() -> None:
    """Measure, write the JSON and print it as a table."""
    arguments = _arguments()
    reviews = read_reviews(arguments.data)
    classifier = Classifier.load(arguments.model)
    test = official_split(reviews, "test")
    split = TrainingData.choose(reviews, arguments.data, Recipe.named(arguments.recipe), None).split
    logits, windows = _logits(classifier, test["text"].tolist())
    report = _report(arguments, classifier, split.train, split.dev, test, logits, windows)
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starter", description="Measure the starter model.")
    parser.add_argument("--data", type=Path, required=True, help="IMDB reviews with the official split: parquet")
    parser.add_argument("--doubtful", type=Path, required=True, help="public label errors of the test part: CSV")
    parser.add_argument("--model", type=Path, default=Settings.model_fields["model"].default, help="published folder")
    parser.add_argument("--recipe", default="default", help="recipe that chose its training data")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/starter.json"), help="results file")
    return parser.parse_args()


def _logits(classifier: Classifier, texts: list[str]) -> tuple[Logits, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    found = [classifier.engine.logits(texts[at : at + _CHUNK]) for at in track(range(0, len(texts), _CHUNK))]
    return np.concatenate([logits for logits, _ in found]), np.concatenate([counts for _, counts in found])


def _report(  # noqa: PLR0913, PLR0917 - one argument a fact
    arguments: argparse.Namespace,
    classifier: Classifier,
    train: pd.DataFrame,
    dev: pd.DataFrame,
    test: pd.DataFrame,
    logits: Logits,
    windows: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> Report:
    manifest = classifier.manifest
    labels = test["label"].to_numpy(np.int8)
    right = logits.argmax(axis=1) == labels
    kept = ~doubtful_rows(arguments.doubtful, test, arguments.data)
    calibration = (manifest.temperature, manifest.unsure_below)
    return Report(
        provenance=provenance("openvino", "tokenizers", "numpy"),
        version=manifest.version,
        parameters=parameters(arguments.model),
        window=manifest.window,
        overlap=manifest.overlap,
        engine="OpenVINO on the CPU: int8 weights, float32 activations quantised as they are multiplied, all threads",
        train=part_of(train),
        dev=part_of(dev),
        test=part_of(test),
        shared_texts=shared_texts([train, dev, test]),
        on_dev=Figures(**manifest.figures["dev"]),
        on_test=figures(logits, labels, *calibration),
        interval=wilson_interval(int(right.sum()), len(right)),
        without_doubtful=figures(logits[kept], labels[kept], *calibration),
        by_windows=_by_windows(windows, right),
    )


def _by_windows(
    windows: "np.ndarray[tuple[int], np.dtype[np.int64]]", right: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> dict[str, tuple[int, float]]:
    groups = {"1": windows == 1, "2": windows == 2, "3 to 5": (windows >= 3) & (windows <= 5), "6 or more": windows > 5}
    return {name: (int(chosen.sum()), float(right[chosen].mean())) for name, chosen in groups.items()}


def _print(report: Report) -> None:
    low, high = report.interval
    print(f"model {report.version}, {report.parameters:,} parameters, window {report.window} tokens")
    for name, part in (("train", report.train), ("dev", report.dev), ("test", report.test)):
        print(f"  {name:5} {part.reviews:>6} reviews, digest {part.digest}")
    print(f"  texts in two parts: {report.shared_texts}")
    for name, row in (
        ("dev", report.on_dev),
        ("test", report.on_test),
        ("test, doubtful labels removed", report.without_doubtful),
    ):
        print(f"  {name:30} {row.reviews:>6} reviews  accuracy {row.accuracy:.2%}", end="  ")
        print(f"log loss {row.log_loss:.3f}  calibration error {row.calibration_error:.2%}  unsure {row.unsure:.1%}")
    print(f"  95 % interval on test {low:.2%} to {high:.2%}")
    for name, (reviews, accuracy) in report.by_windows.items():
        print(f"  read in {name} windows: {reviews:>6} reviews  accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main()
