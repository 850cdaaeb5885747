"""How far a measured share may be from the true one: 95 % intervals, and the lower end of a difference."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, bootstrap

Interval = tuple[float, float]
_RESAMPLES = 2_000
_AT_ONCE = 100
_DRAWS = 20_000


def wilson_interval(hits: int, trials: int) -> Interval:
    """Wilson's score interval of ``hits`` in ``trials``, as shares; holds for a few trials too.

    Raises ValueError when there are more hits than trials, or no trials.
    """
    found = binomtest(hits, trials).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def bootstrap_interval(values: Sequence[float] | npt.NDArray[np.generic]) -> Interval | None:
    """The percentile bootstrap interval of the mean of ``values``; None where there are fewer than two.

    The draws are seeded, so the same values give the same interval.
    """
    if len(values) < 2:
        return None
    found = bootstrap(
        (np.asarray(values, np.float64),),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=_AT_ONCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def paired_lower_end(texts: int, won: int, lost: int, confidence: float) -> float:
    """The lower end, one-sided at ``confidence``, of the difference in accuracy of two models on the same texts.

    The second got ``won`` texts right that the first got wrong, and lost ``lost``. It is the percentile bootstrap over
    the texts: as they differ in nothing else, a resample is a draw from a multinomial distribution. Seeded.
    """
    shares = [won / texts, lost / texts, (texts - won - lost) / texts]
    drawn = np.random.default_rng(0).multinomial(texts, shares, size=_DRAWS)
    return float(np.quantile((drawn[:, 0] - drawn[:, 1]) / texts, 1 - confidence))
