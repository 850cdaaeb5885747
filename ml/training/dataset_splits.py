"""Which reviews a fine-tune trains on and which it measures itself on, as its recipe says."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from ml.data.sources import source_name
from ml.data.splits import TrainDevSplit, exclude_texts, hold_out, official_split, official_train, split_rows
from ml.errors import TooFewReviews
from ml.text.fingerprints import digest
from ml.text.labels import LABELS
from ml.training.corrections import Corrections
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples, TrainingSet, empty_reviews


@dataclass(frozen=True, slots=True)
class DatasetSplits:
    """The reviews of one fine-tune and where they come from."""

    split: TrainDevSplit
    source: str
    source_digest: str
    left_out_because_in_test: int
    test: pd.DataFrame
    """The official test part, where the file has one and the recipe leaves it alone."""

    @classmethod
    def from_reviews(cls, reviews: pd.DataFrame, path: Path, recipe: Recipe, limit: int | None) -> Self:
        """Cut ``reviews``, or ``limit`` of those that can be used, drawn by the seed, as ``recipe.split`` says.

        ``movies``: the official train part (all rows of a file without parts), with dev held out unless there is a
        validation part, and without the rows whose text stands in the official test part too. ``rows``: every row,
        whatever part it is of, and whatever texts are shared. Raises MissingSplit when there is no train part,
        TooFewReviews when one of the two sets would lack a label.
        """
        usable, test = (reviews, empty_reviews()) if recipe.split == "rows" else _official_train_and_test(reviews)
        left_out = 0
        if len(test):
            clean = exclude_texts(usable, test)
            usable, left_out = clean, len(usable) - len(clean)
        if limit is not None and limit < len(usable):
            usable = usable.sample(limit, random_state=recipe.seed).reset_index(drop=True)
        cut = split_rows if recipe.split == "rows" else hold_out
        split = cut(usable, recipe.dev, recipe.seed)
        if min(split.train["label"].nunique(), split.dev["label"].nunique()) < len(LABELS):
            raise TooFewReviews(path=path, rows=len(usable))
        return cls(split, source_name(path), digest(reviews["text"]), left_out, test)

    @property
    def held_out(self) -> pd.DataFrame:
        """What measures: dev, and the official test part where there is one."""
        return pd.concat([self.split.dev, self.test], ignore_index=True)

    def training_set(self, corrections: Corrections | None = None) -> TrainingSet:
        """The training set of a full fine-tune, with the corrections that are not held out among its examples.

        A review that was corrected stands there as corrected only.
        """
        if corrections is None:
            return TrainingSet(self._examples(), self.manifest_data(), self.split.dev)
        usable = corrections.excluding(self.held_out)
        others = replace(self, split=replace(self.split, train=exclude_texts(self.split.train, usable.rows)))
        corrected = len(self.split.train) - len(others.split.train)
        facts = {
            **others.manifest_data(),
            "left_out_because_corrected": corrected,
            "corrections": usable.manifest_data(),
        }
        return TrainingSet(others._examples() + usable.examples(), facts, self.split.dev, usable.rows)

    def _examples(self) -> TrainingExamples:
        train = self.split.train
        return TrainingExamples.from_labels(train["text"].tolist(), train["label"].tolist())

    def manifest_data(self) -> dict[str, Any]:
        """What the manifest says of the data; the digests cover the normalised texts, whatever their order."""
        return {
            "file": self.source,
            "file_digest": self.source_digest,
            "left_out_because_in_test": self.left_out_because_in_test,
            "left_out_because_in_dev": self.split.dropped_from_train,
            "dev_texts_also_in_train": self.split.dev_texts_in_train(),
            "train": {"reviews": len(self.split.train), "digest": digest(self.split.train["text"])},
            "dev": {"reviews": len(self.split.dev), "digest": digest(self.split.dev["text"])},
            "test": {"reviews": len(self.test), "digest": digest(self.test["text"])},
        }


def _official_train_and_test(reviews: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The official train part and test part; all rows and none where the file names no parts."""
    train = official_train(reviews)
    named = "split" in reviews and "test" in set(reviews["split"])
    return train, official_split(reviews, "test") if named else empty_reviews()
