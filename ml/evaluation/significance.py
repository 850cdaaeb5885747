"""McNemar's exact test, and the sample size that it requires.

A flip is a text that one of two models gets right and the other gets wrong. Texts on which the models agree say nothing
about which model is better.
"""

from itertools import count
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final

from scipy.special import betainc

# The probability of detecting an improvement as large as the observed one.
POWER: Final = 0.8
# The share of texts that flip in a usual feedback round, and the step in which gains are tried.
_USUAL_FLIP_RATE: Final = 0.1
_GAIN_STEP: Final = 0.005


def mcnemar_p_value(won: int, lost: int) -> float:
    """Return the probability of at least ``won`` positive flips in ``won + lost`` if both models are equally good.

    The test is one-sided and exact, using the upper tail of a binomial distribution with p = 1/2 (McNemar 1947). This
    tail is a regularised incomplete beta function, which is fast to compute even for thousands of flips.
    """
    return float(betainc(won, lost + 1, 0.5)) if won else 1.0


def mcnemar_two_sided_p_value(won: int, lost: int) -> float:
    """Return the probability of flips at least as uneven as ``won`` to ``lost`` if both models are equally good.

    The distribution is symmetric, so this is twice the smaller one-sided p-value, capped at 1.
    """
    return min(1.0, 2 * mcnemar_p_value(max(won, lost), min(won, lost)))


def min_flips(confidence: float) -> int | None:
    """Return the smallest number of positive flips, with no negative ones, that is significant at ``confidence``.

    Return None if no number of flips is significant.
    """
    if confidence >= 1:
        return None
    return next(flips for flips in count(1) if mcnemar_p_value(flips, 0) <= 1 - confidence)


def additional_texts_needed(texts: int, won: int, lost: int, confidence: float) -> int | None:
    """Return how many more texts are needed to show that the second model is better, at the observed flip rates.

    The answer is the sample size for McNemar's test at ``POWER`` (Connor 1987), raised if necessary to yield
    ``min_flips`` for the exact test. Return None if the second model was not better, or if no number of texts would be
    enough.
    """
    flips_needed = min_flips(confidence)
    if won <= lost or flips_needed is None:
        return None
    size = _sample_size((won - lost) / texts, (won + lost) / texts, confidence)
    return max(1, max(ceil(size), ceil(flips_needed * texts / won)) - texts)


def additional_weighted_texts_needed(texts: int, gain: float, error: float, confidence: float) -> int | None:
    """Return how many more texts are needed to show that the ``gain`` is real.

    ``error`` is the gain's standard error on ``texts`` weighted texts. This error is inversely proportional to the
    square root of the number of texts. The test is normal and one-sided, with power ``POWER``. Return None if the
    second model was not better, or if no number of texts is enough.
    """
    if gain <= 0 or confidence >= 1:
        return None
    z = NormalDist().inv_cdf(max(confidence, 0.5)) + NormalDist().inv_cdf(POWER)
    return max(1, ceil(texts * (z * error / gain) ** 2) - texts)


def provable_gain(texts: int, confidence: float) -> float | None:
    """Return the smallest gain in accuracy, 0 to 1, that ``texts`` texts could prove at a typical round's flip rate.

    Return None if no gain could be proved.
    """
    flips_needed = min_flips(confidence)
    if flips_needed is None or texts * _USUAL_FLIP_RATE < flips_needed:
        return None
    steps = range(1, round(_USUAL_FLIP_RATE / _GAIN_STEP) + 1)
    gains = (step * _GAIN_STEP for step in steps)
    return next((gain for gain in gains if _sample_size(gain, _USUAL_FLIP_RATE, confidence) <= texts), None)


def _sample_size(gain: float, flip_rate: float, confidence: float) -> float:
    """Return the number of texts at which McNemar's test detects ``gain`` at ``POWER`` (Connor 1987)."""
    z_confidence, z_power = NormalDist().inv_cdf(max(confidence, 0.5)), NormalDist().inv_cdf(POWER)
    return ((z_confidence * sqrt(flip_rate) + z_power * sqrt(max(flip_rate - gain**2, 0.0))) / gain) ** 2
