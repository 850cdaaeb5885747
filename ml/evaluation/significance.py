"""Whether flips on the same texts could be chance, by McNemar's exact test, and how many texts would tell.

A flip is a text that one of two models gets right and the other wrong; the texts on which both agree say nothing.
"""

from itertools import count
from math import ceil, comb, sqrt
from statistics import NormalDist
from typing import Final

# The chance that a model which is better by as much as was seen is then found to be so.
POWER: Final = 0.8


def mcnemar_p_value(won: int, lost: int) -> float:
    """Return how likely at least ``won`` of ``won + lost`` flips are positive if both models are equally good.

    One-sided and exact: the upper tail of a binomial distribution with p = 1/2 (McNemar 1947).
    """
    flips = won + lost
    favourable = sum(comb(flips, good) for good in range(won, flips + 1))
    return float(favourable / (1 << flips))


def mcnemar_two_sided_p_value(won: int, lost: int) -> float:
    """Return how likely flips at least as uneven as ``won`` to ``lost`` are if both models are equally good.

    The distribution is symmetric, so this is twice the smaller one-sided p-value, at most 1.
    """
    return min(1.0, 2 * mcnemar_p_value(max(won, lost), min(won, lost)))


def min_flips(confidence: float) -> int | None:
    """How many flips, all of them good, are enough at ``confidence``; None where no number is."""
    if confidence >= 1:
        return None
    return next(flips for flips in count(1) if mcnemar_p_value(flips, 0) <= 1 - confidence)


def additional_texts_needed(texts: int, won: int, lost: int, confidence: float) -> int | None:
    """How many more texts are needed, should they flip at the rates seen on ``texts``, to find the second model better.

    By the sample size of McNemar's test at ``POWER`` (Connor 1987), and at least as many as give enough flips for the
    exact test. None where the second model did not do better, and where no number is enough.
    """
    fewest = min_flips(confidence)
    if won <= lost or fewest is None:
        return None
    flipping, better = (won + lost) / texts, (won - lost) / texts
    certain, power = NormalDist().inv_cdf(max(confidence, 0.5)), NormalDist().inv_cdf(POWER)
    size = ((certain * sqrt(flipping) + power * sqrt(max(flipping - better**2, 0.0))) / better) ** 2
    return max(1, max(ceil(size), ceil(fewest * texts / won)) - texts)
