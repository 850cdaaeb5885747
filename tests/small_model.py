"""A fine-tune of a small BERT model: its config, recipes and labelled sentences."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ml.bert.config import BertConfig
from ml.training.recipe import Recipe

# TensorFlow takes seconds to import, and not every test needs it.
if TYPE_CHECKING:
    from ml.serving.artifact import Manifest
    from ml.training.fine_tune import FineTuneJob
    from ml.training.loop import TrainingProgress

RandomBert = Callable[..., Path]
CONFIG = BertConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=128
)
RECIPE = replace(
    Recipe.load("default"),
    window=16,
    overlap=4,
    batch_size=8,
    epochs=12,
    learning_rate=3e-3,
    hidden_dropout=0.02,
    crops=0.0,
    precision="float32",
    dev=0.2,
)
FEEDBACK = replace(RECIPE, name="feedback", base="anchor", replay=96, frozen_layers=1, learning_rate=6e-3)
LIKED = [
    "A joy from the first page to the last.",
    "I laughed, I cried, and I called my sister to tell her to see it.",
    "Warm, witty and wonderfully played.",
    "The best evening we have had in months.",
    "Every song in it is a small delight.",
    "Brilliant, and kind as well.",
]
HATED = [
    "A bore from the first page to the last.",
    "I yawned, I sighed, and I told my sister to stay at home.",
    "Cold, clumsy and dreadfully played.",
    "The worst evening we have had in months.",
    "Every song in it is a small torture.",
    "Stupid, and cruel as well.",
]


def write_reviews(path: Path) -> Path:
    """Write a CSV in Kaggle's format: each sentence with twelve different endings, so that every text is unique."""
    rows = [
        (f"{sentence} That was number {number}.", label)
        for number in range(12)
        for label, sentences in (("positive", LIKED), ("negative", HATED))
        for sentence in sentences
    ]
    pd.DataFrame(rows, columns=["review", "sentiment"]).to_csv(path, index=False)
    return path


def write_recipe(folder: Path, recipe: Recipe) -> Path:
    """Write the recipe as a TOML file."""
    fields = {name: value for name, value in asdict(recipe).items() if name != "name" and value is not None}
    path = folder / f"{recipe.name}.toml"
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items()), encoding="utf-8")
    return path


@dataclass(frozen=True)
class FineTuneResult:
    """A finished fine-tune: its job, the published manifest and the progress reports."""

    job: "FineTuneJob"
    manifest: "Manifest"
    progress: "list[TrainingProgress]"


def run_fine_tune(job: "FineTuneJob") -> FineTuneResult:
    """Run a fine-tune to the end."""
    from ml.training.fine_tune import fine_tune
    from ml.training.loop import TrainingCallbacks

    progress: list[TrainingProgress] = []
    return FineTuneResult(job, fine_tune(job, TrainingCallbacks(progress.append, lambda: False)), progress)
