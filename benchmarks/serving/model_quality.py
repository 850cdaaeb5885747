"""Evaluates a published model on IMDB and on a different domain, and measures how much accuracy int8 costs.

    python -m benchmarks.serving.model_quality --data imdb.parquet --doubtful errors.csv --sentences rt_polarity.csv.gz

The model classifies all official IMDB test reviews twice: as it is served, and in float32. ``--doubtful`` is the public
list of reviews with labels that five people checked (Northcutt et al. 2021). The results include figures with and
without the reviews whose labels were not confirmed. The sentences come from a domain that the model was not trained on.
These sentences are not classified in float32.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

from benchmarks.common.options import add_imdb_option, add_out_option, add_sentences_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet, shared_texts, text_sets
from benchmarks.common.thumbs_command import count_parameters
from core.settings import Settings
from ml.data.doubtful_labels import doubtful_rows
from ml.data.reviews import read_reviews
from ml.evaluation.comparison import Comparison, compare
from ml.evaluation.intervals import wilson_interval
from ml.evaluation.metrics import Figures, figures
from ml.serving.engine import Classifier, Engine, Logits
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class StarterReport:
    """The content of ``benchmarks/results/starter.json``. Shares are from 0 to 1, with Wilson's 95% intervals."""

    provenance: Provenance
    version: str
    parameters: int
    window: int
    overlap: int
    engine: str
    parts: dict[str, TextSet]
    trained_on_official_train: bool
    """Whether the manifest's digests of train and dev match those of a fresh split of the official training reviews."""
    shared_texts: int
    """Number of texts that are in more than one set, compared by fingerprint."""
    on_dev: Figures
    on_test: Figures
    interval: tuple[float, float]
    without_doubtful: Figures
    float32_to_int8: Comparison
    """Results on the test reviews in float32 (first) and as served (second)."""
    on_sentences: Figures
    sentences_interval: tuple[float, float]
    by_windows: dict[str, tuple[int, float]]
    """Number of reviews and accuracy, by the number of windows in a review."""


def main() -> None:
    """Measure, write and print the results."""
    arguments = _arguments()
    known = DatasetSplits.from_reviews(
        read_reviews(arguments.data), arguments.data, Recipe.load(arguments.recipe), None
    )
    sentences = read_reviews(arguments.sentences)
    parts = {"train": known.split.train, "dev": known.split.dev, "test": known.test, "sentences": sentences}
    report = _report(arguments, parts)
    write_results(arguments.out, report)
    _print(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving.model_quality", description="Measure the starter model."
    )
    add_imdb_option(parser)
    parser.add_argument("--doubtful", type=Path, required=True, help="list of disputed labels in the test split: CSV")
    add_sentences_option(parser)
    parser.add_argument("--model", type=Path, default=Settings.model_fields["model"].default, help="published folder")
    parser.add_argument("--recipe", default="default", help="recipe that selected the model's training data")
    add_out_option(parser, "starter")
    return parser.parse_args()


def _report(arguments: argparse.Namespace, parts: dict[str, pd.DataFrame]) -> StarterReport:
    classifier = Classifier.load(arguments.model)
    manifest, test, sentences = classifier.manifest, parts["test"], parts["sentences"]
    exact = Engine.load(
        arguments.model,
        manifest.window,
        manifest.overlap,
        manifest.reading,
        characters=manifest.characters,
        precision="float32",
    )
    labels, others = (table["label"].to_numpy(np.int8) for table in (test, sentences))
    served, windows = _logits(classifier.engine, test["text"].tolist())
    float32, _ = _logits(exact, test["text"].tolist())
    on_others, _ = _logits(classifier.engine, sentences["text"].tolist())
    right, kept = served.argmax(axis=1) == labels, ~doubtful_rows(arguments.doubtful, test, arguments.data)
    calibration = (manifest.temperature, manifest.unsure_below)
    found = text_sets(parts)
    return StarterReport(
        provenance=provenance("openvino", "tokenizers", "numpy"),
        version=manifest.version,
        parameters=count_parameters(arguments.model),
        window=manifest.window,
        overlap=manifest.overlap,
        engine="OpenVINO on the CPU: int8 weights, float32 activations quantised as they are multiplied, all threads",
        parts=found,
        trained_on_official_train=all(manifest.data[name] == asdict(found[name]) for name in ("train", "dev")),
        shared_texts=shared_texts(parts.values()),
        on_dev=Figures(**manifest.figures["dev"]),
        on_test=figures(served, labels, *calibration),
        interval=wilson_interval(int(right.sum()), len(right)),
        without_doubtful=figures(served[kept], labels[kept], *calibration),
        float32_to_int8=compare(("float32", "int8"), float32, served, labels),
        on_sentences=figures(on_others, others, *calibration),
        sentences_interval=wilson_interval(int((on_others.argmax(axis=1) == others).sum()), len(others)),
        by_windows=_by_windows(windows, right),
    )


def _logits(engine: Engine, texts: list[str]) -> tuple[Logits, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    found = [engine.logits(texts[at : at + _CHUNK]) for at in track(range(0, len(texts), _CHUNK))]
    return np.concatenate([logits for logits, _ in found]), np.concatenate([counts for _, counts in found])


def _by_windows(
    windows: "np.ndarray[tuple[int], np.dtype[np.int64]]", right: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> dict[str, tuple[int, float]]:
    groups = {"1": windows == 1, "2": windows == 2, "3 to 5": (windows >= 3) & (windows <= 5), "6 or more": windows > 5}
    return {name: (int(chosen.sum()), float(right[chosen].mean())) for name, chosen in groups.items()}


def _print(report: StarterReport) -> None:
    low, high = report.interval
    print(f"model {report.version}, {report.parameters:,} parameters, window {report.window} tokens")
    for name, part in report.parts.items():
        print(f"  {name:9} {part.reviews:>6} texts, digest {part.digest}")
    print(
        f"  texts in more than one part: {report.shared_texts}; official train only: {report.trained_on_official_train}"
    )
    for name, row in (
        ("dev", report.on_dev),
        ("test", report.on_test),
        ("test, doubtful labels removed", report.without_doubtful),
        ("sentences of another domain", report.on_sentences),
    ):
        print(f"  {name:30} {row.reviews:>6} reviews  accuracy {row.accuracy:.2%}", end="  ")
        print(f"log loss {row.log_loss:.3f}  calibration error {row.calibration_error:.2%}  unsure {row.unsure:.1%}")
    int8 = report.float32_to_int8
    print(f"  float32 {int8.first_accuracy:.2%}, the same label as served on {int8.agreement:.2%}")
    print(f"  95% interval on test {low:.2%} to {high:.2%}")
    for name, (reviews, accuracy) in report.by_windows.items():
        print(f"  read in {name} windows: {reviews:>6} reviews  accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main()
