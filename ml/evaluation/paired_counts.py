"""Counts what two models get right on the same texts: the basis of comparison, McNemar's test and the gate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """Counts of texts, from the ``first`` model to the ``second``.

    ``negative_flips`` are texts that the first got right and the second gets wrong; ``positive_flips`` the reverse.
    """

    texts: int
    first_right: int
    second_right: int
    negative_flips: int
    positive_flips: int


def count_pairs(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedCounts:
    """Count where two models are right; ``first`` and ``second`` are (texts,), bool, in one order."""
    return PairedCounts(
        texts=len(first),
        first_right=int(first.sum()),
        second_right=int(second.sum()),
        negative_flips=int((first & ~second).sum()),
        positive_flips=int((~first & second).sum()),
    )
