"""The gate set: the reviews on which every candidate is evaluated."""

import logging
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.data.splits import TrainDevSplit, hold_out
from ml.evaluation.evaluation_set import rating_column
from ml.evaluation.metrics import Labels
from ml.training.dataset_splits import DatasetSplits

logger = logging.getLogger(__name__)

REVIEWS: Final = 6_000
# Never change this seed, because every run, on every machine, must draw the same reviews.
_SEED: Final = 20_260


@dataclass(frozen=True, slots=True)
class GateSet:
    """Labelled reviews in a fixed order. ``ratings`` (reviews,) is NaN where missing, or None if there are none."""

    texts: list[str]
    labels: Labels
    ratings: npt.NDArray[np.float64] | None

    @classmethod
    def choose(cls, data: DatasetSplits) -> Self:
        """Draw about ``REVIEWS`` official test reviews, or take all of them if there are fewer.

        If the movies are known, each movie's reviews stay together.

        Without official splits, draw from the recipe's dev reviews, which are not used for training either.
        """
        drawn = _draw(data.test if len(data.test) else data.split.dev).dev
        return cls(drawn["text"].tolist(), drawn["label"].to_numpy(np.int8), rating_column(drawn))

    @classmethod
    def remainder(cls, data: DatasetSplits) -> Self:
        """Return the official test reviews that ``choose`` does not draw.

        These reviews are about other movies and do not affect decisions.

        The result is empty if there is no official test split, or if the split is no larger than the gate set.
        """
        drawn = _draw(data.test).train
        return cls(drawn["text"].tolist(), drawn["label"].to_numpy(np.int8), rating_column(drawn))


def _draw(source: pd.DataFrame) -> TrainDevSplit:
    """Split ``source`` into the gate set (dev) and the remaining reviews (train)."""
    if len(source) <= REVIEWS:
        return TrainDevSplit(source.iloc[:0], source)
    return hold_out(source, REVIEWS / len(source), _SEED)
