"""Confidence intervals: known values, and inputs without an interval."""

import numpy as np
import pytest

from ml.evaluation.intervals import bootstrap_interval, paired_lower_bound, wilson_interval
from ml.evaluation.paired_counts import PairedCounts


def counts(texts: int, won: int, lost: int) -> PairedCounts:
    return PairedCounts(texts, lost, won, negative_flips=lost, positive_flips=won)


def test_wilson_intervals() -> None:
    assert wilson_interval(0, 1000) == pytest.approx((0, 0.003827), abs=1e-6)
    assert wilson_interval(50, 100) == pytest.approx((0.403832, 0.596168), abs=1e-6)
    assert wilson_interval(10, 10) == pytest.approx((0.722467, 1), abs=1e-6)


@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_invalid_counts_are_refused(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match=r"must (not )?be"):
        wilson_interval(hits, trials)


def test_a_bootstrap_interval_of_many_values_matches_the_normal_interval() -> None:
    values = np.repeat([0.0, 1.0], [1000, 9000])
    half_width = 1.96 * np.sqrt(0.9 * 0.1 / 10_000)
    assert bootstrap_interval(values) == pytest.approx((0.9 - half_width, 0.9 + half_width), abs=0.0005)
    assert bootstrap_interval(values) == bootstrap_interval(values)


def test_a_bootstrap_needs_two_values() -> None:
    assert bootstrap_interval([1.0]) is None
    assert bootstrap_interval([1.0, 1.0]) == (1.0, 1.0)


def test_the_paired_lower_bound_matches_a_bootstrap_over_pairs() -> None:
    values = np.repeat([1.0, -1.0, 0.0], [40, 60, 900])
    low, _ = bootstrap_interval(values) or (0.0, 0.0)
    assert paired_lower_bound(counts(1000, 40, 60), 0.975) == pytest.approx(low, abs=0.0015)
    half_width = 1.645 * np.sqrt(0.1 - 0.02**2) / np.sqrt(1000)
    assert paired_lower_bound(counts(1000, 40, 60), 0.95) == pytest.approx(-0.02 - half_width, abs=0.001)


def test_models_without_flips_have_a_lower_bound_of_zero() -> None:
    assert paired_lower_bound(counts(50, 0, 0), 0.95) == 0
    assert paired_lower_bound(counts(1, 1, 0), 0.95) == 1
