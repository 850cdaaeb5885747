"""Publishes a model with weights between those of a published model and those of its base or another model.

    python -m benchmarks.domains.interpolated models/starter --share 0.2 --out var/models/nearer
    python -m benchmarks.domains.interpolated var/models/one --towards var/models/two --share 0.5 --out var/models/mean

``--share`` is how far the weights move, from 0 (unchanged) to 1. By default, the weights move towards the base that the
model was fine-tuned from (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). Weights that are missing
from the other folder, such as those of the classification head, don't change. The temperature is refitted on the IMDB
reviews that the recipe holds out.
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from benchmarks.domains.options import add_data_option
from ml.bert.config import BertConfig
from ml.bert.pretrained import WEIGHTS, interpolate_weights, read_checkpoint, stored_weight_names, write_checkpoint
from ml.bert.weight_names import weight_names
from ml.data.reviews import read_reviews
from ml.evaluation.metrics import figures, fit_temperature
from ml.serving.artifact import MANIFEST, Manifest, file_hash, file_hashes, publish_artifact, verified_manifest
from ml.serving.engine import Engine
from ml.serving.probes import PROBES
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import find_base_model
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Interpolation:
    """How far to move a published model's weights: ``share`` (0 to 1) of the way to the weights in ``towards``.

    ``name`` is what the manifest calls ``towards``.
    """

    model: Path
    towards: Path
    name: str
    share: float


def main() -> None:
    """Interpolate, publish and print the version."""
    arguments = _arguments()
    path = arguments.data / "imdb.parquet"
    dev = DatasetSplits.from_reviews(read_reviews(path), path, Recipe.load(arguments.recipe), None).split.dev
    name = arguments.towards or Manifest.read(arguments.model).base
    move = Interpolation(arguments.model, find_base_model(name).folder, Path(name).name, arguments.share)
    manifest = publish_interpolated(move, dev, arguments.out)
    print(f"{arguments.out}: {manifest.version}, temperature {manifest.temperature:.3f}, {manifest.figures['dev']}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.domains.interpolated",
        description="Publish a model with weights between those of two models.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="published folder")
    parser.add_argument("--towards", help="published folder or base encoder; by default, the model's base")
    parser.add_argument("--share", type=float, required=True, help="how far the weights move, from 0 to 1")
    parser.add_argument("--recipe", default="default", help="recipe that selects the reviews for the temperature")
    add_data_option(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder to publish")
    return parser.parse_args()


def publish_interpolated(move: Interpolation, dev: pd.DataFrame, out: Path) -> Manifest:
    """Publish the interpolated model in ``out``, with the temperature fitted on ``dev``, and return its manifest."""
    before = verified_manifest(move.model)
    config = BertConfig.read(move.model)
    network = interpolated_network(move, config)
    tokenizer = WindowTokenizer.read(move.model, before.window, before.overlap, before.reading, before.characters)
    with publish_artifact(out) as folder:
        write_checkpoint(folder, network, config, tokenizer)
        manifest = _manifest(folder, before, move, dev)
        manifest.write(folder)
    return manifest


def interpolated_network(move: Interpolation, config: BertConfig) -> keras.Model:
    """Return the network with the interpolated weights."""
    network, other = read_checkpoint(move.model, config), read_checkpoint(move.towards, config)
    stored = stored_weight_names(move.towards)
    for weight, start in zip(weight_names(network), weight_names(other), strict=True):
        # ``read_checkpoint`` initialises weights randomly if the folder lacks them.
        if weight.name not in stored:
            start.variable.assign(weight.variable)
    interpolate_weights(network, other, 1 - move.share)
    return network


def _manifest(folder: Path, before: Manifest, move: Interpolation, dev: pd.DataFrame) -> Manifest:
    engine = Engine.load(folder, before.window, before.overlap, before.reading, characters=before.characters)
    logits, _ = engine.logits(dev["text"].tolist())
    labels = dev["label"].to_numpy(np.int8)
    temperature = fit_temperature(logits, labels)
    probe_logits, _ = engine.logits(PROBES)
    now = datetime.now(UTC)
    facts = {"model": before.version, "towards": move.name, "share": move.share, **_origin(move.towards)}
    return replace(
        before,
        version=f"{now:%Y%m%d}-{file_hash(folder / WEIGHTS)[:8]}",
        created=now.isoformat(timespec="seconds"),
        temperature=temperature,
        recipe={**before.recipe, "interpolated": facts},
        figures={"dev": asdict(figures(logits, labels, temperature, before.unsure_below))},
        probe_logits=[[float(value) for value in row] for row in probe_logits],
        files=file_hashes(folder),
    )


def _origin(folder: Path) -> Mapping[str, Any]:
    """Return a published model's version, recipe and data.

    Return an empty mapping if ``folder`` contains an encoder without a manifest.
    """
    if not (folder / MANIFEST).is_file():
        return {}
    other = Manifest.read(folder)
    return {"towards_version": other.version, "towards_recipe": other.recipe, "towards_data": other.data}


if __name__ == "__main__":
    main()
