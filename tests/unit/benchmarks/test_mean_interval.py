"""The mean over several seeds, and its confidence interval."""

import pytest

from benchmarks.common.mean_interval import mean_interval


def test_the_interval_is_students() -> None:
    found = mean_interval([1.0, 2.0, 3.0])
    # The standard error is 1 / sqrt(3), and the interval extends 4.3027 standard errors at two degrees of freedom.
    assert (found.mean, found.low, found.high) == pytest.approx((2.0, -0.4841, 4.4841), abs=1e-4)


def test_equal_values_have_an_empty_interval() -> None:
    found = mean_interval([0.5, 0.5])
    assert (found.mean, found.low, found.high) == (0.5, 0.5, 0.5)
