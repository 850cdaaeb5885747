"""Which reviews a fine-tune trains on and which it measures itself on, as its recipe says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from config.errors import TooFewReviews
from ml.fingerprints import digest
from ml.labels import LABELS
from ml.recipe import Recipe
from ml.splits import Split, hold_out, official_split, without_texts_of


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The reviews of one fine-tune and where they come from."""

    split: Split
    source: str
    source_digest: str
    without_test_texts: int

    @classmethod
    def choose(cls, reviews: pd.DataFrame, path: Path, recipe: Recipe, limit: int | None) -> Self:
        """The official train part (all rows of a file without parts), ``limit`` of them at random, with dev held out.

        Rows whose text stands in the official test part too are left out. Raises MissingPart when there is no train
        part, TooFewReviews when a part of the split would lack one of the labels.
        """
        chosen = official_split(reviews, "train")
        clean = chosen
        if "split" in reviews and "test" in set(reviews["split"]):
            clean = without_texts_of(chosen, official_split(reviews, "test"))
        left_out = len(chosen) - len(clean)
        if limit is not None and limit < len(clean):
            clean = clean.sample(limit, random_state=recipe.seed).reset_index(drop=True)
        split = hold_out(clean, recipe.dev, recipe.seed)
        if min(split.train["label"].nunique(), split.dev["label"].nunique()) < len(LABELS):
            raise TooFewReviews(path=path, rows=len(clean))
        return cls(split, path.name, digest(reviews["text"]), left_out)

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the data; the digests cover the normalised texts, whatever their order."""
        return {
            "file": self.source,
            "file_digest": self.source_digest,
            "left_out_because_in_test": self.without_test_texts,
            "left_out_because_in_dev": self.split.dropped,
            "train": {"reviews": len(self.split.train), "digest": digest(self.split.train["text"])},
            "dev": {"reviews": len(self.split.dev), "digest": digest(self.split.dev["text"])},
        }
