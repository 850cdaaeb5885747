"""Which reviews a fine-tune trains on and which it measures itself on, as its recipe says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from config.errors import TooFewReviews
from ml.fingerprints import digest
from ml.labels import LABELS
from ml.recipe import Recipe
from ml.splits import Split, hold_out, official_split, split_rows, without_texts_of


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The reviews of one fine-tune and where they come from."""

    split: Split
    source: str
    source_digest: str
    without_test_texts: int

    @classmethod
    def choose(cls, reviews: pd.DataFrame, path: Path, recipe: Recipe, limit: int | None) -> Self:
        """Cut ``reviews``, or ``limit`` of those that can be used, drawn by the seed, as ``recipe.split`` says.

        ``movies``: the official train part (all rows of a file without parts), with dev held out, and without the rows
        whose text stands in the official test part too. ``rows``: every row, whatever part it is of, and whatever
        texts are shared. Raises MissingPart when there is no train part, TooFewReviews when one of the two sets would
        lack a label.
        """
        usable, left_out = (reviews, 0) if recipe.split == "rows" else _official_train(reviews)
        if limit is not None and limit < len(usable):
            usable = usable.sample(limit, random_state=recipe.seed).reset_index(drop=True)
        cut = split_rows if recipe.split == "rows" else hold_out
        split = cut(usable, recipe.dev, recipe.seed)
        if min(split.train["label"].nunique(), split.dev["label"].nunique()) < len(LABELS):
            raise TooFewReviews(path=path, rows=len(usable))
        return cls(split, path.name, digest(reviews["text"]), left_out)

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the data; the digests cover the normalised texts, whatever their order."""
        return {
            "file": self.source,
            "file_digest": self.source_digest,
            "left_out_because_in_test": self.without_test_texts,
            "left_out_because_in_dev": self.split.dropped,
            "dev_texts_also_in_train": self.split.dev_texts_in_train(),
            "train": {"reviews": len(self.split.train), "digest": digest(self.split.train["text"])},
            "dev": {"reviews": len(self.split.dev), "digest": digest(self.split.dev["text"])},
        }


def _official_train(reviews: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The official train part without the texts of the test part, and how many rows that left out."""
    train = official_split(reviews, "train")
    if "split" not in reviews or "test" not in set(reviews["split"]):
        return train, 0
    clean = without_texts_of(train, official_split(reviews, "test"))
    return clean, len(train) - len(clean)
