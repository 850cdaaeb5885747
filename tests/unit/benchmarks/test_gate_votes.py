"""The simulated votes are skewed as the report says, and each case's figures come from its rounds."""

from dataclasses import replace

import numpy as np

from benchmarks.gate.__main__ import CASES, measure_case
from benchmarks.gate.voters import Voting, simulate_round

SMALL = Voting(0.03, drawn=60, people=10, verdicts=600)


def test_a_case_has_the_errors_of_its_rounds() -> None:
    case = measure_case(np.random.default_rng(0), "small", SMALL, rounds=4)
    assert (case.rounds, case.unknown, case.drawn) == (4, 0, 60)
    assert case.error is not None
    assert case.unweighted_error is not None
    assert case.half_width is not None
    assert abs(case.error) < case.unweighted_error < case.half_width


def test_a_case_that_cannot_tell_has_no_errors() -> None:
    voting = replace(SMALL, correct=(0.0, 0.0), asked=0.0, drawn=20)
    case = measure_case(np.random.default_rng(0), "only mistakes", voting, rounds=2)
    assert (case.unknown, case.error, case.covered) == (1, None, None)


def test_people_vote_at_the_rates_of_the_case() -> None:
    found = simulate_round(np.random.default_rng(0), replace(SMALL, mistakes=(0.9, 0.9), correct=(0.1, 0.1), asked=0.0))
    voted = [verdict.mistake for verdict in found.shown.verdicts if verdict.voted]
    assert sum(verdict.drawn for verdict in found.shown.verdicts) == 60
    assert 0.4 < np.mean(voted) < 0.9
    assert all(row.champion_correct != (row.label != found.shown.verdicts[row.message_id].label) for row in found.rows)


def test_the_cases_include_each_way_to_skew_votes() -> None:
    assert any(voting.correct == (0.0, 0.0) for voting in CASES.values())
    assert any(voting.colluders for voting in CASES.values())
    assert all(voting.mistakes == (0.1, 0.8) for voting in CASES.values())
