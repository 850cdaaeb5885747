"""What int8 costs the published model, and how it does on another domain.

    python -m benchmarks.precision --data imdb.parquet --sentences rt_polarity.csv.gz --reviews 6000

``--reviews`` official test reviews, whole movies, are read by the graph that is served and by the same in float32. The
sentences are of a domain that the model was never trained on; they are read as served.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

from benchmarks.parts import Part, parts_of, shared_texts
from benchmarks.provenance import Provenance, provenance
from config.settings import Settings
from ml.comparison import Comparison, compare
from ml.data import read_reviews
from ml.evaluation import Figures, figures
from ml.intervals import wilson_interval
from ml.prediction import Classifier, Engine, Logits
from ml.recipe import Recipe
from ml.splits import hold_out
from ml.training_data import TrainingData

_CHUNK = 500
_SEED = 42


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/precision.json`` holds; shares are 0 to 1, intervals 95 %."""

    provenance: Provenance
    version: str
    engine: str
    parts: dict[str, Part]
    trained_on_official_train: bool
    """Whether the manifest's digests of train and dev are those of the official train part, split anew."""
    shared_texts: int
    """Texts that stand in two of the parts, counted by their fingerprints."""
    float32_to_int8: Comparison
    """The test reviews in float32 (first) and as served."""
    on_sentences: Figures
    sentences_interval: tuple[float, float]


def main() -> None:
    """Measure, write the JSON and print it."""
    arguments = _arguments()
    known = TrainingData.choose(read_reviews(arguments.data), arguments.data, Recipe.named(arguments.recipe), None)
    share = arguments.reviews / len(known.test)
    test = known.test if share >= 1 else hold_out(known.test, share, _SEED).dev
    sentences = read_reviews(arguments.sentences)
    parts = {"train": known.split.train, "dev": known.split.dev, "test": test, "sentences": sentences}
    report = _report(arguments.model, parts)
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    print(json.dumps(asdict(report), indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description="Measure what int8 costs.")
    parser.add_argument("--data", type=Path, required=True, help="IMDB reviews with the official split: parquet")
    parser.add_argument("--sentences", type=Path, required=True, help="labelled sentences of another domain: CSV")
    parser.add_argument("--reviews", type=int, default=25_000, help="test reviews to read in both precisions")
    parser.add_argument("--model", type=Path, default=Settings.model_fields["model"].default, help="published folder")
    parser.add_argument("--recipe", default="default", help="recipe that chose its training data")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/precision.json"), help="results file")
    return parser.parse_args()


def _report(folder: Path, parts: dict[str, pd.DataFrame]) -> Report:
    classifier = Classifier.load(folder)
    manifest = classifier.manifest
    exact = Engine.load(folder, manifest.window, manifest.overlap, manifest.reading, precision="float32")
    served, float32 = (_logits(engine, parts["test"]) for engine in (classifier.engine, exact))
    told, labels = _logits(classifier.engine, parts["sentences"]), parts["sentences"]["label"].to_numpy(np.int8)
    found = parts_of(parts)
    trained = [manifest.data[name] for name in ("train", "dev")]
    return Report(
        provenance=provenance("openvino", "tokenizers", "numpy"),
        version=classifier.version,
        engine="OpenVINO on the CPU, float32 activations; int8 weights quantise them as they are multiplied",
        parts=found,
        trained_on_official_train=trained == [asdict(found[name]) for name in ("train", "dev")],
        shared_texts=shared_texts(parts.values()),
        float32_to_int8=compare(("float32", "int8"), float32, served, parts["test"]["label"].to_numpy(np.int8)),
        on_sentences=figures(told, labels, manifest.temperature, manifest.unsure_below),
        sentences_interval=wilson_interval(int((told.argmax(axis=1) == labels).sum()), len(labels)),
    )


def _logits(engine: Engine, texts: pd.DataFrame) -> Logits:
    rows = texts["text"].tolist()
    return np.concatenate([engine.logits(rows[at : at + _CHUNK])[0] for at in track(range(0, len(rows), _CHUNK))])


if __name__ == "__main__":
    main()
