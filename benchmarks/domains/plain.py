"""Reproduces the plain run: a tutorial-style fine-tune with Hugging Face's Trainer, and its predictions.

    make peers
    python -m benchmarks.domains.plain --data FOLDER --work FOLDER

The ``--data`` folder contains ``imdb.parquet`` and the domains' files. An interrupted run resumes from the files in the
``--work`` folder. The predictions are stored without the texts.
"""

import argparse
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet
from benchmarks.domains.distinct_texts import DistinctTexts, text_set
from benchmarks.domains.options import add_data_option
from benchmarks.domains.plain_predictions import PREDICTIONS, PlainPredictions, short_key
from benchmarks.training.trainers import add_peer_option, trainer_environment
from ml.serving.artifact import file_hash
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model
from ml.training.recipe import Recipe

_PROGRAM: Final = Path(__file__).with_name("plain_run.py")


@dataclass(frozen=True, slots=True)
class PlainSettings:
    """The settings for the plain run. All other settings keep Trainer's defaults. Precision is float32 or bfloat16."""

    base: str = DEFAULT_BASE_MODEL
    train_tokens: int = 128
    read_tokens: int = 256
    epochs: int = 2
    batch_size: int = 32
    learning_rate: float = 5e-5
    schedule: str = "linear"
    precision: str = "bfloat16"
    """Precision of the matrix products in training and prediction. Weights are float32."""
    seed: int = 42


@dataclass(frozen=True, slots=True)
class PlainRunReport:
    """The content of ``benchmarks/results/plain_run.json``: how the predictions in the same folder were made."""

    provenance: Provenance
    settings: PlainSettings
    train: TextSet
    """The official train split, including its duplicate texts."""
    predicted: TextSet
    """The texts that have a prediction."""
    program_sha256: str
    predictions_sha256: str


def main() -> None:
    """Run ``plain_run.py`` in the peers' environment, and store its predictions."""
    arguments = _arguments()
    texts = DistinctTexts.read(arguments.data, Recipe.load("default"))
    settings = PlainSettings()
    job, out = arguments.work / "job", arguments.work / "out"
    _write_job(job, texts, settings, arguments.threads)
    out.mkdir(exist_ok=True)
    command = [str(arguments.peer), str(_PROGRAM), str(job), str(out)]
    subprocess.run(command, check=True, env=trainer_environment())
    rows = texts.read_by_plain_run()
    _read_predictions(out, rows["fingerprint"]).write(PREDICTIONS)
    packages = json.loads((out / "packages.json").read_text(encoding="utf-8"))
    described = provenance("tokenizers")
    write_results(
        arguments.out,
        PlainRunReport(
            provenance=replace(described, packages={**packages, **described.packages}),
            settings=settings,
            train=texts.text_sets()["imdb_official_train"],
            predicted=text_set(rows),
            program_sha256=file_hash(_PROGRAM),
            predictions_sha256=file_hash(PREDICTIONS),
        ),
    )
    print(f"{len(rows):,} predictions are in {PREDICTIONS}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.domains.plain", description="Reproduce the plain run and store its predictions."
    )
    add_data_option(parser)
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and the model")
    parser.add_argument("--threads", type=int, default=2, help="number of CPU threads")
    add_out_option(parser, "plain_run")
    add_peer_option(parser)
    return parser.parse_args()


def _write_job(folder: Path, texts: DistinctTexts, settings: PlainSettings, threads: int) -> None:
    """Write the settings, the texts to train on and the texts to classify, for ``plain_run.py``."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"encoder": str(find_base_model(settings.base).folder), "threads": threads, **asdict(settings)}
    (folder / "settings.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    train, rows = texts.official_train, texts.read_by_plain_run()
    _write_lines(
        folder / "train.jsonl",
        ({"text": text, "label": label} for text, label in zip(train["text"], train["label"].tolist(), strict=True)),
    )
    _write_lines(
        folder / "read.jsonl",
        ({"key": each, "text": text} for each, text in zip(rows["fingerprint"], rows["text"], strict=True)),
    )


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _read_predictions(out: Path, fingerprints: Iterable[str]) -> PlainPredictions:
    """Return the predictions for the texts with these fingerprints. Raise KeyError if one is missing."""
    lines = (out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    found = {short_key(key): difference for key, difference in map(json.loads, lines)}
    return PlainPredictions({short_key(each): found[short_key(each)] for each in fingerprints})


if __name__ == "__main__":
    main()
