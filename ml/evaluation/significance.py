"""McNemar's exact test, and the sample size that it needs.

A flip is a text that one of two models gets right and the other gets wrong. Texts on which the models agree say nothing
about which model is better.
"""

from itertools import count
from math import ceil, comb, sqrt
from statistics import NormalDist
from typing import Final

# The probability of detecting an improvement as large as the observed one.
POWER: Final = 0.8


def mcnemar_p_value(won: int, lost: int) -> float:
    """Return the probability of at least ``won`` positive flips in ``won + lost`` if both models are equally good.

    The test is one-sided and exact, using the upper tail of a binomial distribution with p = 1/2 (McNemar 1947).
    """
    flips = won + lost
    favourable = sum(comb(flips, positive) for positive in range(won, flips + 1))
    return float(favourable / (1 << flips))


def mcnemar_two_sided_p_value(won: int, lost: int) -> float:
    """Return the probability of flips at least as uneven as ``won`` to ``lost`` if both models are equally good.

    The distribution is symmetric, so this is twice the smaller one-sided p-value, at most 1.
    """
    return min(1.0, 2 * mcnemar_p_value(max(won, lost), min(won, lost)))


def min_flips(confidence: float) -> int | None:
    """Return the smallest number of flips, all positive, that is significant at ``confidence``, or None."""
    if confidence >= 1:
        return None
    return next(flips for flips in count(1) if mcnemar_p_value(flips, 0) <= 1 - confidence)


def additional_texts_needed(texts: int, won: int, lost: int, confidence: float) -> int | None:
    """Return how many more texts would show that the second model is better, at the flip rates observed on ``texts``.

    This is the sample size for McNemar's test at ``POWER`` (Connor 1987), raised if necessary to yield ``min_flips``
    for the exact test. Return None if the second model was not better, or if no number of texts is enough.
    """
    flips_needed = min_flips(confidence)
    if won <= lost or flips_needed is None:
        return None
    flip_rate, gain = (won + lost) / texts, (won - lost) / texts
    z_confidence, z_power = NormalDist().inv_cdf(max(confidence, 0.5)), NormalDist().inv_cdf(POWER)
    size = ((z_confidence * sqrt(flip_rate) + z_power * sqrt(max(flip_rate - gain**2, 0.0))) / gain) ** 2
    return max(1, max(ceil(size), ceil(flips_needed * texts / won)) - texts)
