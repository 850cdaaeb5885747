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
    """The reviews that models are measured on: texts and labels in one order, and where they come from.

    ``ratings`` (reviews,) is NaN where a review has none, and None where the file has none. ``doubtful`` (reviews,)
    marks the labels that people do not agree with; None without a list of them.
    """

    file: str
    file_digest: str
    split: str | None
    texts: list[str]
    labels: Labels
    ratings: npt.NDArray[np.float64] | None
    doubtful: npt.NDArray[np.bool_] | None

    @classmethod
    def from_table(cls, table: pd.DataFrame, path: Path, part: str, doubtful: Path | None) -> Self:
        """The official ``part`` of a table read from ``path``, or all of one that names no parts.

        Raises MissingSplit, and what ``doubtful_rows`` raises of the list at ``doubtful``.
        """
        reviews = official_split(table, part)
        return cls(
            file=source_name(path),
            file_digest=digest(table["text"]),
            split=part if "split" in table else None,
            texts=reviews["text"].tolist(),
            labels=reviews["label"].to_numpy(np.int8),
            ratings=rating_column(reviews),
            doubtful=None if doubtful is None else doubtful_rows(doubtful, reviews, path),
        )

    def summary(self) -> dict[str, Any]:
        """What the figures' readers need to know of the reviews; the digest covers the normalised texts."""
        return {
            "file": self.file,
            "part": self.split,
            "reviews": len(self.texts),
            "positive": int(self.labels.sum()),
            "digest": digest(self.texts),
        }

    def overlaps_training_data(self, data: dict[str, Any]) -> bool:
        """Whether a fine-tune on ``data``, as its manifest tells it, has seen some of these reviews.

        One that left no test part alone has seen some of every part.
        """
        every_part = data.get("test", {}).get("reviews") == 0
        return (every_part or self.split in {None, "train"}) and data.get("file_digest") == self.file_digest


def rating_column(reviews: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """The column ``rating`` (reviews,), NaN where it is no number; None where there is no rating at all."""
    for column in reviews:
        if str(column).strip().lower() == "rating":
            values = pd.to_numeric(reviews[column], errors="coerce").to_numpy(np.float64)
            return None if np.isnan(values).all() else values
    return None
