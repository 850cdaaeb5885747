"""Counts the texts that two models get right: the basis for comparisons, McNemar's test and the gate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """Counts of texts that compare a ``first`` model with a ``second``.

    ``negative_flips`` counts texts that the first model gets right and the second gets wrong. ``positive_flips`` counts
    the reverse.
    """

    texts: int
    first_right: int
    second_right: int
    negative_flips: int
    positive_flips: int


def count_pairs(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedCounts:
    """Count the texts that each model gets right. ``first`` and ``second`` are bool (texts,), in the same order."""
    return PairedCounts(
        texts=len(first),
        first_right=int(first.sum()),
        second_right=int(second.sum()),
        negative_flips=int((first & ~second).sum()),
        positive_flips=int((~first & second).sum()),
    )
