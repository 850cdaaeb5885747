"""Models the chance that a shown verdict gets a usable vote, which also depends on whether the verdict is right.

Nobody knows whether a verdict without votes is right. Therefore, two logistic regressions are fitted together by
maximum penalised likelihood: one for how likely a verdict is to be wrong, and one for how likely it is to get a vote.
The likelihood of a verdict without a vote is the sum over both cases, right and wrong.

Texts that /label drew at random calibrate the first regression, because everything that is drawn gets a vote. Verdicts
under which the bot asked "Was that right?" calibrate the second, because the bot draws them at random with equal
chances and most people answer. Without such texts and verdicts, only the served confidence and the priors distinguish
mistakes without a vote from other verdicts, and the errors are large.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit

from storage.feedback.shown_verdicts import ShownVerdict
from worker.gate.vote_designs import Columns, Floats, scaled

_MAX_ITERATIONS: Final = 2_000


@dataclass(frozen=True, slots=True)
class _State:
    """The regressions at given parameters: each verdict's chances of a mistake, and of a vote if right or wrong.

    ``wrong`` is the chance that the verdict is wrong, given whether it got a vote.
    """

    mistake: Floats
    vote_if_right: Floats
    vote_if_wrong: Floats
    wrong: Floats
    log_likelihood: float


class _Likelihood:
    """The penalised likelihood of what is known about shown verdicts."""

    def __init__(self, verdicts: Sequence[ShownVerdict], columns: Columns) -> None:
        self._designs = columns.designs(verdicts)
        self._precision = columns.precision
        self._voted = np.array([verdict.voted for verdict in verdicts], np.float64)
        known = [verdict.mistake if verdict.voted or verdict.drawn else None for verdict in verdicts]
        self._known = np.array([mistake is not None for mistake in known])
        self._mistake = np.array([bool(mistake) for mistake in known], np.float64)

    def state(self, parameters: Floats) -> _State:
        """Return the regressions at ``parameters`` (parameters,)."""
        designs = self._designs
        mistake = expit(designs.offset + designs.mistake @ parameters)
        right, wrong = expit(designs.vote_if_right @ parameters), expit(designs.vote_if_wrong @ parameters)
        if_wrong = mistake * np.where(self._voted, wrong, 1 - wrong)
        if_right = (1 - mistake) * np.where(self._voted, right, 1 - right)
        known = self._mistake * if_wrong + (1 - self._mistake) * if_right
        likelihood = np.maximum(np.where(self._known, known, if_wrong + if_right), np.finfo(np.float64).tiny)
        posterior = np.where(self._known, self._mistake, if_wrong / likelihood)
        return _State(mistake, right, wrong, posterior, float(np.log(likelihood).sum()))

    def loss(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the negative penalised log likelihood, and its gradient (parameters,)."""
        state = self.state(parameters)
        gradient = self._precision * parameters
        for design, residual in self._residuals(state):
            gradient = gradient - design.T @ residual
        return 0.5 * float(self._precision @ parameters**2) - state.log_likelihood, gradient

    def scores(self, state: _State) -> csr_array:
        """Return the gradient of each verdict's log likelihood (verdicts, parameters)."""
        mistake, wrong, right = (scaled(design, residual) for design, residual in self._residuals(state))
        return csr_array(mistake + wrong + right)

    def _residuals(self, state: _State) -> tuple[tuple[csr_array, Floats], ...]:
        return (
            (self._designs.mistake, state.wrong - state.mistake),
            (self._designs.vote_if_wrong, state.wrong * (self._voted - state.vote_if_wrong)),
            (self._designs.vote_if_right, (1 - state.wrong) * (self._voted - state.vote_if_right)),
        )

    def information(self, state: _State) -> Floats:
        """Return the negative second derivatives of the penalised log likelihood (parameters, parameters).

        They equal the information in complete data, minus the information lost because it is unknown which verdicts are
        correct (Louis 1982).
        """
        parts = (self._designs.mistake, self._designs.vote_if_wrong, self._designs.vote_if_right)
        complete = (
            state.mistake * (1 - state.mistake),
            state.wrong * state.vote_if_wrong * (1 - state.vote_if_wrong),
            (1 - state.wrong) * state.vote_if_right * (1 - state.vote_if_right),
        )
        missing = state.wrong * (1 - state.wrong)
        change = (np.ones(len(missing)), self._voted - state.vote_if_wrong, state.vote_if_right - self._voted)
        found = np.diag(self._precision)
        for row, left in enumerate(parts):
            for column, right in enumerate(parts):
                weight = (complete[row] if row == column else 0.0) - missing * change[row] * change[column]
                found = found + (left.T @ scaled(right, weight)).toarray()
        return found


@dataclass(frozen=True, slots=True)
class VoteChance:
    """The fitted chances of a vote.

    ``scores`` (verdicts, parameters) and ``inverse`` (parameters, parameters), the inverse of the information, say how
    uncertain the ``parameters`` are. ``drawn_share`` is the share of verdicts, among those without other votes, that
    got usable votes because /label drew them. ``mistake_ratio`` says how many times more likely a mistake is to get a
    vote.
    """

    columns: Columns
    parameters: Floats
    scores: csr_array
    inverse: Floats
    drawn_share: float
    mistake_ratio: float

    def chances(self, verdicts: Sequence[ShownVerdict]) -> tuple[Floats, csr_array]:
        """Return the chance of a vote (verdicts,), and its derivatives (verdicts, parameters).

        Each verdict must be known to be right or wrong. Even a verdict that gets no other vote can be drawn by /label.
        """
        designs = self.columns.designs(verdicts)
        wrong = np.array([bool(verdict.mistake) for verdict in verdicts], np.float64)
        design = scaled(designs.vote_if_wrong, wrong) + scaled(designs.vote_if_right, 1 - wrong)
        vote = expit(design @ self.parameters)
        chance = vote + (1 - vote) * self.drawn_share
        return chance, scaled(design, (1 - self.drawn_share) * vote * (1 - vote))

    def spread(self, derivative: Floats) -> tuple[Floats, float]:
        """Return a figure's uncertainty due to the parameters. ``derivative`` (parameters,) is its gradient in them.

        The first part is how much each verdict moved the figure (verdicts,). The second part is the variance from the
        prior.
        """
        step = self.inverse @ derivative
        return self.scores @ step, float(self.columns.precision @ step**2)


def fit_vote_chance(verdicts: Sequence[ShownVerdict]) -> VoteChance:
    """Fit the chance of a vote to all shown verdicts, at least one of which has a vote."""
    columns = Columns.of(verdicts)
    likelihood = _Likelihood(verdicts, columns)
    start = columns.start(float(np.mean([verdict.voted for verdict in verdicts])))
    found = minimize(likelihood.loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _MAX_ITERATIONS})
    parameters = np.asarray(found.x, np.float64)
    state = likelihood.state(parameters)
    others = [verdict.drawn and verdict.usable for verdict in verdicts if not verdict.voted]
    right = 1 - state.wrong
    if_wrong = float(state.wrong @ state.vote_if_wrong / state.wrong.sum())
    if_right = float(right @ state.vote_if_right / right.sum())
    return VoteChance(
        columns=columns,
        parameters=parameters,
        scores=likelihood.scores(state),
        inverse=np.asarray(np.linalg.pinv(likelihood.information(state), hermitian=True), np.float64),
        drawn_share=sum(others) / len(others) if others else 0.0,
        mistake_ratio=if_wrong / if_right,
    )
