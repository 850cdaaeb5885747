"""A mean over draws or seeds, and how far it may be from the true one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float


def mean_of(values: Sequence[float]) -> Mean:
    """The mean of two values or more, and its interval."""
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(t.ppf(0.975, len(values) - 1)) * spread
    return Mean(mean, mean - reach, mean + reach)
