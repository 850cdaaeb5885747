"""Confidence intervals: 95% intervals, and the lower bound of a paired difference."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, bootstrap

from ml.evaluation.paired_counts import PairedCounts

Interval = tuple[float, float]
_RESAMPLES = 2_000
_BATCH = 100
_PAIRED_RESAMPLES = 20_000


def wilson_interval(hits: int, trials: int) -> Interval:
    """Return Wilson's 95% score interval for the share of ``hits`` in ``trials``, which is valid even for few trials.

    Raise ValueError if there are more hits than trials, or no trials.
    """
    found = binomtest(hits, trials).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def bootstrap_interval(values: Sequence[float] | npt.NDArray[np.generic]) -> Interval | None:
    """Return the 95% percentile bootstrap interval for the mean of ``values``, or None for fewer than two values.

    The draws are seeded, so the same values give the same interval.
    """
    if len(values) < 2:
        return None
    found = bootstrap(
        (np.asarray(values, np.float64),),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=_BATCH,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def paired_lower_bound(counts: PairedCounts, confidence: float) -> float:
    """Return the one-sided lower bound, at ``confidence``, of the second model's accuracy minus the first's.

    The bound comes from a percentile bootstrap over the texts. The difference depends only on how many texts flip each
    way, so each resample is drawn from a multinomial distribution. The draws are seeded, so the same counts give the
    same result.
    """
    texts, won, lost = counts.texts, counts.positive_flips, counts.negative_flips
    shares = [won / texts, lost / texts, (texts - won - lost) / texts]
    drawn = np.random.default_rng(0).multinomial(texts, shares, size=_PAIRED_RESAMPLES)
    return float(np.quantile((drawn[:, 0] - drawn[:, 1]) / texts, 1 - confidence))
