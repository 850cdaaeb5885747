"""Simulates years of weekly runs, using the gate's own rules for looks at the votes and for trials.

    python -m benchmarks.gate.over_time

Each vote is on a text that both models get right, both get wrong, or only one gets right. The candidates' true gain is
the same all year. In some years the candidate stays the same. In other years, a new candidate is drawn every week,
which is the worst case for repeated looks. A trial starts automatically whenever a candidate is probably better.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import median
from typing import Final

import numpy as np

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from ml.evaluation.alpha_spending import alpha_for_run, alpha_for_trial
from ml.evaluation.paired_counts import PairedCounts
from ml.evaluation.significance import mcnemar_p_value
from storage.models.looks import Look
from worker.gate.measurements import VoteEvidence
from worker.gate.spending import allow
from worker.gate.trial import TrialEvidence, TrialStep, next_step, probably_better
from worker.gate.vote_tests import better_p

PER_YEAR: Final = 0.05
GAINS: Final = (0.0, 0.015, 0.03, 0.05)
POOLED: Final = (100, 300, 1_000)
FLIP_RATES: Final = (0.08, 0.12)
VOTES_PER_WEEK: Final = (10, 50, 200)
_ACCURACY: Final = 0.8
_WEEK: Final = timedelta(days=7)
_WEEKS: Final = 52
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CHAMPION: Final = "champion"


@dataclass(frozen=True, slots=True)
class Power:
    """The shares of looks at ``texts`` texts in which the gate or one exact test at the same alpha proves a gain."""

    gain: float
    flip_rate: float
    texts: int
    alpha: float
    gate: float
    exact: float
    exact_once_a_year: float
    """``exact`` for a single test that spends the whole year's alpha."""


@dataclass(frozen=True, slots=True)
class Years:
    """Simulated years with the same gain and the same number of votes every week.

    ``by_run`` and ``by_trial`` are the shares of years in which a run or a trial promotes a model for good. ``weeks``
    is the median week of that promotion, and ``trials`` is the mean number of trials in a year.
    """

    gain: float
    votes_per_week: int
    new_candidate_each_week: bool
    trials_allowed: bool
    years: int
    by_run: float
    by_trial: float
    weeks: float | None
    trials: float


@dataclass(frozen=True, slots=True)
class Trials:
    """Simulated trials of models that were probably better, according to the votes on ``texts_before`` texts.

    ``confirmed`` and ``rolled_back`` are shares, and ``votes`` is the median number of new votes when a trial ends.
    """

    gain: float
    flip_rate: float
    texts_before: int
    trials: int
    confirmed: float
    rolled_back: float
    votes: float
    most_votes: int


@dataclass(frozen=True, slots=True)
class OverTimeReport:
    """The content of ``benchmarks/results/gate_over_time.json``."""

    provenance: Provenance
    wrong_promotions_per_year: float
    flip_rate_of_years: float
    power: list[Power]
    years: list[Years]
    trials: list[Trials]


@dataclass
class _Counts:
    """How many texts have votes so far, and how many of them only the candidate or only the live model gets right."""

    texts: int = 0
    won: int = 0
    lost: int = 0

    def plus(self, other: "_Counts") -> "_Counts":
        return _Counts(self.texts + other.texts, self.won + other.won, self.lost + other.lost)

    def evidence(self) -> VoteEvidence:
        return _evidence(self.texts, self.won, self.lost)


@cache
def _evidence(texts: int, won: int, lost: int) -> VoteEvidence:
    right = min(round(_ACCURACY * texts), texts - won - lost) + lost
    return VoteEvidence.equally_weighted(PairedCounts(texts, right, right + won - lost, lost, won))


@cache
def _proves(texts: int, won: int, lost: int) -> float:
    return better_p(_evidence(texts, won, lost))


def _draw(rng: np.random.Generator, texts: int, gain: float, flip_rate: float) -> _Counts:
    won, lost, _ = rng.multinomial(texts, [(flip_rate + gain) / 2, (flip_rate - gain) / 2, 1 - flip_rate])
    return _Counts(texts, int(won), int(lost))


def measure_power(rng: np.random.Generator, gain: float, flip_rate: float, texts: int, draws: int) -> Power:
    """Draw the votes for many first looks, and count how often the gate and the exact tests prove the gain."""
    alpha = alpha_for_run([], PER_YEAR, _START)
    drawn = [_draw(rng, texts, gain, flip_rate) for _ in range(draws)]
    exact = [mcnemar_p_value(counts.won, counts.lost) for counts in drawn]
    return Power(
        gain=gain,
        flip_rate=flip_rate,
        texts=texts,
        alpha=alpha,
        gate=float(np.mean([_proves(counts.texts, counts.won, counts.lost) <= alpha for counts in drawn])),
        exact=float(np.mean([p <= alpha for p in exact])),
        exact_once_a_year=float(np.mean([p <= PER_YEAR for p in exact])),
    )


@dataclass
class _Year:
    """One simulated year, up to the first promotion for good."""

    rng: np.random.Generator
    gain: float
    votes_per_week: int
    redraw: bool
    trials_allowed: bool
    flip_rate: float
    now: datetime = _START
    looks: list[Look] = field(default_factory=list)
    trials: int = 0

    def simulate(self) -> str | None:
        """Return "run" or "trial", whichever promotes a model for good, or None if neither does."""
        pooled, end = _Counts(), _START + _WEEKS * _WEEK
        while self.now < end:
            self.now += _WEEK
            pooled = self._after_a_week(pooled)
            if self._run_promotes(pooled):
                return "run"
            if self.trials_allowed and probably_better(pooled.evidence()):
                self.trials += 1
                confirmed, since = self._trial(pooled, end)
                if confirmed:
                    return "trial"
                pooled = pooled.plus(since)
        return None

    def _after_a_week(self, pooled: _Counts) -> _Counts:
        if self.redraw:
            return _draw(self.rng, pooled.texts + self.votes_per_week, self.gain, self.flip_rate)
        return pooled.plus(_draw(self.rng, self.votes_per_week, self.gain, self.flip_rate))

    def _run_promotes(self, pooled: _Counts) -> bool:
        alpha = allow(self.looks, PER_YEAR, self.now, _CHAMPION, pooled.evidence()).alpha
        if not alpha:
            return False
        self.looks.append(Look(self.now, _CHAMPION, pooled.texts, alpha, run_id=len(self.looks)))
        return _proves(pooled.texts, pooled.won, pooled.lost) <= alpha

    def _trial(self, before: _Counts, end: datetime) -> tuple[bool, _Counts]:
        """Return whether a trial is confirmed before the end of the year, and the votes that it collected."""
        since, looked_at, day = _Counts(), 0, max(round(self.votes_per_week / 7), 1)
        while self.now < end:
            since = since.plus(_draw(self.rng, day, self.gain, self.flip_rate))
            self.now += _WEEK * day / self.votes_per_week
            evidence = TrialEvidence(before.evidence(), since.evidence(), looked_at)
            alpha = 0.0
            if evidence.look_is_due:
                alpha = alpha_for_trial(self.looks, PER_YEAR, self.now, last=evidence.last_look)
                self.looks.append(Look(self.now, _CHAMPION, since.texts, alpha))
                looked_at = since.texts
            step = next_step(evidence, alpha)
            if step is not TrialStep.CONTINUE:
                return step is TrialStep.CONFIRM, since
        return False, since


def simulate_years(  # noqa: PLR0913, PLR0917 - one argument for each condition
    rng: np.random.Generator, gain: float, votes_per_week: int, redraw: bool, trials_allowed: bool, years: int
) -> Years:
    """Simulate years under the same conditions."""
    ends, weeks, trials = [], [], []
    for _ in range(years):
        year = _Year(rng, gain, votes_per_week, redraw, trials_allowed, sum(FLIP_RATES) / len(FLIP_RATES))
        ends.append(year.simulate())
        trials.append(year.trials)
        if ends[-1] is not None:
            weeks.append((year.now - _START) / _WEEK)
    return Years(
        gain=gain,
        votes_per_week=votes_per_week,
        new_candidate_each_week=redraw,
        trials_allowed=trials_allowed,
        years=years,
        by_run=ends.count("run") / years,
        by_trial=ends.count("trial") / years,
        weeks=median(weeks) if weeks else None,
        trials=float(np.mean(trials)),
    )


def simulate_trials(rng: np.random.Generator, gain: float, flip_rate: float, texts_before: int, trials: int) -> Trials:
    """Simulate trials of models that a run found to be probably better.

    Each trial can use all of a first look's alpha.
    """
    steps: list[TrialStep] = []
    votes: list[int] = []
    while len(steps) < trials:
        before = _draw(rng, texts_before, gain, flip_rate)
        if not probably_better(before.evidence()):
            continue
        step, texts = _one_trial(rng, before, gain, flip_rate)
        steps.append(step)
        votes.append(texts)
    return Trials(
        gain=gain,
        flip_rate=flip_rate,
        texts_before=texts_before,
        trials=trials,
        confirmed=steps.count(TrialStep.CONFIRM) / trials,
        rolled_back=steps.count(TrialStep.ROLL_BACK) / trials,
        votes=median(votes),
        most_votes=max(votes),
    )


def _one_trial(rng: np.random.Generator, before: _Counts, gain: float, flip_rate: float) -> tuple[TrialStep, int]:
    since, looked_at, step = _Counts(), 0, TrialStep.CONTINUE
    left = PER_YEAR / 8  # what a first look of a run leaves
    while step is TrialStep.CONTINUE:
        since = since.plus(_draw(rng, 1, gain, flip_rate))
        evidence = TrialEvidence(before.evidence(), since.evidence(), looked_at)
        alpha = left if evidence.last_look else left / 2
        if evidence.look_is_due:
            left, looked_at = left - alpha, since.texts
        step = next_step(evidence, alpha)
    return step, since.texts


def measure(seed: int, years: int, draws: int, trials: int) -> OverTimeReport:
    """Run all simulations. ``years``, ``draws`` and ``trials`` are numbers of repetitions.

    Simulate only a tenth as many years with a gain, because promotions are common in these years.
    """
    rng = np.random.default_rng(seed)
    return OverTimeReport(
        provenance=provenance("numpy"),
        wrong_promotions_per_year=PER_YEAR,
        flip_rate_of_years=sum(FLIP_RATES) / len(FLIP_RATES),
        power=[
            measure_power(rng, gain, flip_rate, texts, draws)
            for texts in POOLED
            for flip_rate in FLIP_RATES
            for gain in GAINS
        ],
        years=[
            simulate_years(rng, gain, votes, redraw, trials_allowed, years // 10 if gain else years)
            for votes in VOTES_PER_WEEK
            for redraw, trials_allowed in ((False, False), (False, True), (True, False), (True, True))
            for gain in GAINS
        ],
        trials=[
            simulate_trials(rng, gain, flip_rate, texts, trials)
            for texts in (30, 300)
            for flip_rate in FLIP_RATES
            for gain in (-0.02, *GAINS)
        ],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate.over_time", description=__doc__)
    parser.add_argument("--seed", type=int, default=20_261_129)
    parser.add_argument("--years", type=int, default=1_000, help="simulated years for each condition without a gain")
    add_out_option(parser, "gate_over_time")
    given = parser.parse_args(arguments)
    write_results(given.out, measure(given.seed, given.years, draws=4_000, trials=500))


if __name__ == "__main__":
    main()
