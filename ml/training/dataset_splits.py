"""Splits reviews into train, dev and test as a recipe specifies."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from ml.data.sources import source_name
from ml.data.splits import TrainDevSplit, exclude_texts, hold_out, official_split, official_train, split_rows
from ml.distillation.reviews_file import DEV, TRAIN, Part, TeacherReview
from ml.distillation.soft_labels import review_key
from ml.errors import TooFewReviews
from ml.text.characters import NEW_MODELS_FORM, clean_characters
from ml.text.fingerprints import digest
from ml.text.labels import LABELS
from ml.training.corrections import Corrections
from ml.training.recipe import Recipe
from ml.training.soft_examples import LabelledParts
from ml.training.training_set import TrainingExamples, TrainingSet, empty_reviews


@dataclass(frozen=True, slots=True)
class DatasetSplits:
    """The train, dev and test reviews of one fine-tune, as tables with ``text`` and ``label``, and their origin."""

    split: TrainDevSplit
    source: str
    source_digest: str
    left_out_because_in_test: int
    test: pd.DataFrame
    """The official test split; empty if the file has none or the recipe trains on it."""

    @classmethod
    def from_reviews(cls, reviews: pd.DataFrame, path: Path, recipe: Recipe, limit: int | None) -> Self:
        """Split ``reviews``, read from ``path``, as ``recipe.split`` specifies.

        ``movies``: take the official train split (or all rows, if the file has no splits) without the official test
        split's texts, and hold out dev unless there is a validation split. ``rows``: shuffle all rows, regardless of
        their split, and allow shared texts. ``limit`` is the number of usable reviews to draw with the seed. Raise
        MissingSplit if there is no train split, and TooFewReviews if train or dev lacks a label.
        """
        usable, test = (reviews, empty_reviews()) if recipe.split == "rows" else _official_train_and_test(reviews)
        left_out = 0
        if len(test):
            without_test = exclude_texts(usable, test)
            usable, left_out = without_test, len(usable) - len(without_test)
        if limit is not None and limit < len(usable):
            usable = usable.sample(limit, random_state=recipe.seed).reset_index(drop=True)
        split_function = split_rows if recipe.split == "rows" else hold_out
        split = split_function(usable, recipe.dev, recipe.seed)
        if missing := _missing_labels(split):
            raise TooFewReviews(path=path, rows=len(usable), missing=missing)
        return cls(split, source_name(path), digest(reviews["text"]), left_out, test)

    @property
    def held_out(self) -> pd.DataFrame:
        """The reviews kept for evaluation: dev, and the official test split if there is one."""
        return pd.concat([self.split.dev, self.test], ignore_index=True)

    def teacher_reviews(self) -> Iterator[TeacherReview]:
        """Yield the training and dev reviews for a teacher, with their characters cleaned as for a new model."""
        parts: dict[Part, pd.DataFrame] = {TRAIN: self.split.train, DEV: self.split.dev}
        for part, table in parts.items():
            for text, label in zip(table["text"], table["label"], strict=True):
                yield TeacherReview(review_key(text), clean_characters(text, NEW_MODELS_FORM), int(label), part)

    def training_set(
        self, corrections: Corrections | None = None, soft_labels: LabelledParts | None = None
    ) -> TrainingSet:
        """Return the training set of a full fine-tune, including the corrections that are not held out.

        A corrected review is included only with its corrected label. For a review with ``soft_labels``, training uses
        its labelled parts, one in each epoch. Raise TooFewCorrections if every correction is held out.
        """
        if corrections is None:
            examples, facts = self._examples(soft_labels)
            return TrainingSet(examples, self.manifest_data() | facts, self.split.dev)
        usable = corrections.excluding(self.held_out)
        uncorrected = replace(self, split=replace(self.split, train=exclude_texts(self.split.train, usable.rows)))
        corrected = len(self.split.train) - len(uncorrected.split.train)
        examples, soft_facts = uncorrected._examples(soft_labels)
        facts = {
            **uncorrected.manifest_data(),
            "left_out_because_corrected": corrected,
            "corrections": usable.manifest_data(),
            **soft_facts,
        }
        return TrainingSet(examples + usable.examples(), facts, self.split.dev, usable.rows)

    def _examples(self, soft_labels: LabelledParts | None) -> tuple[TrainingExamples, dict[str, Any]]:
        """Return the examples from the training reviews, and what the manifest says about soft labels."""
        train = self.split.train
        if soft_labels is None:
            return TrainingExamples.from_labels(train["text"].tolist(), train["label"].tolist()), {}
        examples, facts = soft_labels.examples(train)
        return examples, {"soft_labels": facts}

    def manifest_data(self) -> dict[str, Any]:
        """Return a description of the data for the manifest.

        The digests depend on the normalised texts, but not on their order.
        """
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


def _missing_labels(split: TrainDevSplit) -> str:
    """Describe the labels that train and dev lack. Return "" if both splits have both labels."""
    lacks = [
        f"{name} ({len(table)} reviews) has no {' or '.join(missing).lower()} reviews"
        for name, table in (("training", split.train), ("dev", split.dev))
        if (missing := [label for index, label in enumerate(LABELS) if not (table["label"] == index).any()])
    ]
    return " and ".join(lacks)


def _official_train_and_test(reviews: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the official train and test splits, or every row and an empty table if the file names no splits."""
    train = official_train(reviews)
    has_test = "split" in reviews and "test" in set(reviews["split"])
    return train, official_split(reviews, "test") if has_test else empty_reviews()
