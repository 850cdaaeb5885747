"""The chance that a shown verdict gets a vote, estimated without knowing which verdicts without votes are wrong."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad

from benchmarks.gate.voters import Voting, simulate_round
from storage.feedback.shown_verdicts import ShownVerdict
from worker.gate.vote_chance import _Likelihood, fit_vote_chance
from worker.gate.vote_designs import Columns

VOTING = Voting(0.03, drawn=300, people=10, verdicts=3_000, mistakes=(0.6, 0.6), correct=(0.1, 0.1), asked=0.0)


def shown(voting: Voting = VOTING) -> tuple[ShownVerdict, ...]:
    return simulate_round(np.random.default_rng(2), voting).shown.verdicts


def chances(voting: Voting, mistake: bool) -> list[float]:
    """Return each verdict's chance of a vote, as if all verdicts were mistakes or all were correct."""
    verdicts = shown(voting)
    other = {"Positive": "Negative", "Negative": "Positive"}
    known = [replace(verdict, agreed=other[verdict.label] if mistake else verdict.label) for verdict in verdicts]
    return fit_vote_chance(verdicts).chances(known)[0].tolist()


def test_the_chances_of_mistakes_and_of_correct_verdicts_are_told_apart() -> None:
    verdicts = shown()
    fitted = fit_vote_chance(verdicts)
    others = [verdict for verdict in verdicts if not verdict.voted]
    drawn = 300 / len(others)
    assert fitted.drawn_share == pytest.approx(drawn)
    assert np.mean(chances(VOTING, mistake=True)) == pytest.approx(0.6 + 0.4 * drawn, abs=0.06)
    assert np.mean(chances(VOTING, mistake=False)) == pytest.approx(0.1 + 0.9 * drawn, abs=0.03)
    assert fitted.mistake_ratio == pytest.approx(6, rel=0.25)


def test_people_have_chances_of_their_own() -> None:
    verdicts = shown(replace(VOTING, mistakes=(0.1, 0.9)))
    fitted = fit_vote_chance(verdicts)
    mistakes = [verdict for verdict in verdicts if verdict.mistake]
    by_person: dict[int, list[float]] = {}
    for verdict, chance in zip(mistakes, fitted.chances(mistakes)[0], strict=True):
        by_person.setdefault(verdict.author_id, []).append(float(chance))
    means = [float(np.mean(found)) for found in by_person.values()]
    assert max(means) - min(means) > 0.3


def test_the_gradient_and_the_information_are_derivatives_of_the_likelihood() -> None:
    verdicts = shown()[:400]
    likelihood = _Likelihood(verdicts, Columns.of(verdicts))
    parameters = np.random.default_rng(0).normal(0, 0.3, len(Columns.of(verdicts).precision))
    error = check_grad(lambda at: likelihood.loss(at)[0], lambda at: likelihood.loss(at)[1], parameters)
    assert error < 1e-3
    information = likelihood.information(likelihood.state(parameters))
    step = np.zeros_like(parameters)
    step[5] = 1e-5
    change = (likelihood.loss(parameters + step)[1] - likelihood.loss(parameters - step)[1]) / 2e-5
    assert np.allclose(information[5], change, atol=1e-3)
