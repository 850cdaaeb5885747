"""The labelled reviews that models are evaluated on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.data.doubtful_labels import doubtful_rows
from ml.data.sources import source_name
from ml.data.splits import official_split
from ml.evaluation.metrics import Labels
from ml.text.fingerprints import digest


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Labelled reviews to evaluate on, and their origin. Texts, labels, ratings and ``doubtful`` are in the same order.

    ``labels`` (reviews,) int8 are indices into LABELS. ``ratings`` (reviews,) is NaN for a review without a rating, or
    None if the file has no ratings. ``doubtful`` (reviews,) marks labels that people disagree with, or is None if no
    list was given.
    """

    file: str
    file_digest: str
    split: str | None
    texts: list[str]
    labels: Labels
    ratings: npt.NDArray[np.float64] | None
    doubtful: npt.NDArray[np.bool_] | None

    @classmethod
    def from_table(cls, table: pd.DataFrame, path: Path, split: str, doubtful: Path | None) -> Self:
        """Take the official ``split`` of a table read from ``path``, or every row if the table names no splits.

        ``doubtful`` is the path of a list of doubtful labels. Raise MissingSplit if the table does not contain the
        split, and any error that ``doubtful_rows`` raises.
        """
        reviews = official_split(table, split)
        return cls(
            file=source_name(path),
            file_digest=digest(table["text"]),
            split=split if "split" in table else None,
            texts=reviews["text"].tolist(),
            labels=reviews["label"].to_numpy(np.int8),
            ratings=rating_column(reviews),
            doubtful=None if doubtful is None else doubtful_rows(doubtful, reviews, path),
        )

    def summary(self) -> dict[str, Any]:
        """Return the origin and size of the reviews for the report. The digest covers the normalised texts."""
        return {
            "file": self.file,
            "part": self.split,
            "reviews": len(self.texts),
            "positive": int(self.labels.sum()),
            "digest": digest(self.texts),
        }

    def overlaps_training_data(self, data: dict[str, Any]) -> bool:
        """Return whether a model with ``data`` in its manifest may have been trained on some of these reviews.

        A fine-tune that did not hold out a test split has seen reviews from every split.
        """
        every_split = data.get("test", {}).get("reviews") == 0
        return (every_split or self.split in {None, "train"}) and data.get("file_digest") == self.file_digest


def rating_column(reviews: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Return the ``rating`` column (reviews,), with NaN where it is not a number, or None if there are no ratings."""
    for column in reviews:
        if str(column).strip().lower() == "rating":
            values = pd.to_numeric(reviews[column], errors="coerce").to_numpy(np.float64)
            return None if np.isnan(values).all() else values
    return None
