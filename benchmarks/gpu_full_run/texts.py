"""Draws the reviews to train and evaluate on, and composes the texts for measuring how fast a model answers."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Final

import pandas as pd

from benchmarks.common.held_out_texts import SEED
from ml.serving.probes import PROBES
from ml.text.tokenization import WindowTokenizer
from ml.training.recipe import Recipe

# Number of texts in each set for the speed of serving.
_TEXTS: Final = 32
# Number of windows in the long texts of the mix.
_LONG_WINDOWS: Final = 3
# Dev has at least about this many reviews, unless this is more than a quarter of them.
_DEV_REVIEWS: Final = 64


def write_reviews(reviews: pd.DataFrame, limit: int, path: Path) -> None:
    """Write ``limit`` official training reviews and as many test reviews to a Parquet file.

    Half of the reviews in each split are positive.
    """
    parts = [
        rows.sample(min(limit // 2, len(rows)), random_state=SEED) for _, rows in reviews.groupby(["split", "label"])
    ]
    pd.concat(parts, ignore_index=True).to_parquet(path)


def full_recipe(reviews: int) -> Recipe:
    """Return the default recipe, with a larger share of dev reviews if there are few reviews."""
    recipe = Recipe.load("default")
    return replace(recipe, name="full", dev=max(recipe.dev, min(0.25, _DEV_REVIEWS / reviews)))


def first_recipe(reviews: int) -> Recipe:
    """Return the recipe for the model that the bot starts with: one epoch, because this model need not be accurate."""
    return replace(full_recipe(reviews), name="first", epochs=1)


def serving_texts(tokenizer: WindowTokenizer) -> dict[str, list[str]]:
    """Return sets of texts by name: single sentences, texts that fill one window, and a mix with long texts."""
    short = list(PROBES[:_TEXTS])
    full = _joined(tokenizer, 1)
    mix = [*short[: _TEXTS // 2], *full[: _TEXTS // 4], *_joined(tokenizer, _LONG_WINDOWS)[: _TEXTS // 4]]
    return {"short": short, "window": full, "mix": mix}


def _joined(tokenizer: WindowTokenizer, windows: int) -> list[str]:
    """Return texts made of sentences. Each text fills this number of windows as nearly as possible."""
    sentences: Iterator[str] = cycle(PROBES)

    def text() -> str:
        found = next(sentences)
        while len(tokenizer.windows(tokenizer.token_ids([longer := f"{found} {next(sentences)}"])[0])) <= windows:
            found = longer
        return found

    return [text() for _ in range(_TEXTS)]
