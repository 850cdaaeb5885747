"""Computes a mean over draws or seeds, with its 95% interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean with its 95% interval (Student's t)."""

    mean: float
    low: float
    high: float


def mean_interval(values: Sequence[float]) -> MeanInterval:
    """Return the mean of at least two values, with its interval."""
    mean, standard_error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    margin = float(t.ppf(0.975, len(values) - 1)) * standard_error
    return MeanInterval(mean, mean - margin, mean + margin)
