"""Spreads a yearly rate of wrong promotions over repeated tests, so that the rate holds for any number of tests.

A model that is no better passes a test with probability at most alpha. The alphas of all tests within a year add up to
at most the year's rate, whether the tested models are similar or different.

A quarter of the year's rate is available at once, and the rest accrues evenly. A run's test takes half of what is
available and leaves the rest for trials.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

_YEAR: Final = timedelta(days=365)
_AT_ONCE: Final = 0.25
_SHARE_OF_A_RUN: Final = 0.5
# The share that a trial's test takes, unless it is the trial's last.
_SHARE_OF_A_TRIAL: Final = 0.5


class Spending(Protocol):
    """How much alpha a test spent, and when."""

    @property
    def at(self) -> datetime:
        """The time of the test."""

    @property
    def alpha(self) -> float:
        """The alpha of the test."""


def available_alpha(spent: Sequence[Spending], per_year: float, now: datetime) -> float:
    """Return the alpha that can be spent now, given what was ``spent`` (oldest first) and the rate ``per_year``."""
    at_once = _AT_ONCE * per_year
    accrued_per_second = (per_year - at_once) / _YEAR.total_seconds()
    balance, since = at_once, spent[0].at if spent else now
    for test in spent:
        balance = min(at_once, balance + accrued_per_second * (test.at - since).total_seconds()) - test.alpha
        since = test.at
    return max(0.0, min(at_once, balance + accrued_per_second * (now - since).total_seconds()))


def alpha_for_run(spent: Sequence[Spending], per_year: float, now: datetime) -> float:
    """Return the alpha that a run's test spends now."""
    return _SHARE_OF_A_RUN * available_alpha(spent, per_year, now)


def alpha_for_trial(spent: Sequence[Spending], per_year: float, now: datetime, *, last: bool) -> float:
    """Return the alpha that a trial's test spends now: all available alpha if it is the trial's ``last`` test."""
    return available_alpha(spent, per_year, now) * (1.0 if last else _SHARE_OF_A_TRIAL)
