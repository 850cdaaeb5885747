"""The simulated years follow the gate's rules, and wrong promotions are as rare as the setting says."""

import numpy as np
import pytest

from benchmarks.gate.over_time import PER_YEAR, measure_power, simulate_trials, simulate_years


def test_a_look_has_the_power_of_the_exact_test_at_the_same_alpha() -> None:
    power = measure_power(np.random.default_rng(0), 0.05, 0.1, 300, 300)
    assert power.gate == power.exact < power.exact_once_a_year


@pytest.mark.parametrize("redraw", [False, True])
def test_a_model_that_is_not_better_is_rarely_promoted_for_good(redraw: bool) -> None:
    found = simulate_years(np.random.default_rng(0), 0.0, 50, redraw, trials_allowed=True, years=60)
    assert found.by_run + found.by_trial <= PER_YEAR
    assert found.trials > 1


def test_a_trial_of_a_worse_model_is_rolled_back_after_at_most_150_votes() -> None:
    found = simulate_trials(np.random.default_rng(0), -0.02, 0.12, 300, 60)
    assert found.rolled_back > 0.9
    assert found.most_votes <= 150
