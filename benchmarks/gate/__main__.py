"""Simulates rounds of votes, and compares the gate's estimate of a candidate's gain with the true gain.

    python -m benchmarks.gate

Each round has new people, who differ in how often they vote on mistakes and on correct verdicts. As in a real run, the
gate's own code gets the shown verdicts and the votes, and estimates the candidate's gain over all shown verdicts.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.gate.voters import Round, Voting, simulate_round
from core.settings import Settings
from worker.gate.measurements import VoteEvidence
from worker.gate.vote_estimate import MIN_DRAWN, estimate_gain
from worker.gate.vote_rows import vote_evidence
from worker.gate.vote_tests import better_p

NEVER: Final = (0.0, 0.0)
CASES: Final = {
    "as people give them": Voting(0.03, drawn=150),
    "as people give them, no gain": Voting(0.0, drawn=150),
    "fewer draws": Voting(0.03, drawn=60),
    "no draws and no questions": Voting(0.03, drawn=0, asked=0.0),
    "only on mistakes": Voting(0.03, drawn=150, correct=NEVER, asked=0.0),
    "only on mistakes, too few draws": Voting(0.03, drawn=MIN_DRAWN - 1, correct=NEVER, asked=0.0),
    "three collude and vote rarely, no gain": Voting(0.0, drawn=150, colluders=3),
}
PROOF: Final = 0.05
_PERSON_SHARE: Final[float] = Settings.model_fields["feedback_person_share"].default
_PROGRESS: Final = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Case:
    """The figures for all rounds with one voting scheme.

    Gains and errors are shares of all shown verdicts, from -1 to 1.

    ``unknown`` is the share of rounds in which the gate cannot estimate the gain. The other figures cover the remaining
    rounds, and are None if none remain. ``error`` is the mean of the estimate minus the truth, ``abs_error`` is the
    mean of the absolute difference, and ``unweighted_error`` is the mean error when all votes count equally.
    ``covered`` is the share of the 95% intervals that contain the truth, and ``half_width`` is the mean half-width of
    these intervals. ``proven`` is the share of rounds with a p-value of at most 5% for "better".
    """

    name: str
    gain: float
    drawn: int
    colluders: int
    rounds: int
    unknown: float
    texts: float
    voted_share: float
    effective_texts: float | None = None
    mistake_ratio: float | None = None
    error: float | None = None
    abs_error: float | None = None
    unweighted_error: float | None = None
    covered: float | None = None
    half_width: float | None = None
    proven: float | None = None


@dataclass(frozen=True, slots=True)
class VotesReport:
    """The content of ``benchmarks/results/gate_votes.json``."""

    provenance: Provenance
    people: int
    verdicts: int
    mistakes: tuple[float, float]
    correct: tuple[float, float]
    asked: float
    texts_each: int
    votes_each: int
    min_drawn: int
    cases: list[Case]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A round's true gain, and the evidence from its votes, weighted and unweighted."""

    truth: float
    weighted: VoteEvidence
    unweighted: VoteEvidence


def measure_case(rng: np.random.Generator, name: str, voting: Voting, rounds: int) -> Case:
    """Simulate rounds with one voting scheme."""
    outcomes = [_estimate(simulate_round(rng, voting)) for _ in track(range(rounds), name, console=_PROGRESS)]
    known = [outcome for outcome in outcomes if outcome.weighted.unknown is None]
    case = Case(
        name=name,
        gain=voting.gain,
        drawn=voting.drawn,
        colluders=voting.colluders,
        rounds=rounds,
        unknown=1 - len(known) / rounds,
        texts=_mean([outcome.weighted.texts for outcome in outcomes]),
        voted_share=_mean([outcome.weighted.voted_share or 0.0 for outcome in outcomes]),
    )
    return _with_errors(case, known) if known else case


def _estimate(found: Round) -> _Outcome:
    weighted, unweighted = estimate_gain(found.rows, found.shown, _PERSON_SHARE), vote_evidence(found.rows)
    assert weighted is not None
    assert unweighted is not None
    return _Outcome(found.gain, weighted, unweighted)


def _with_errors(case: Case, known: Sequence[_Outcome]) -> Case:
    errors = np.array([outcome.weighted.gain - outcome.truth for outcome in known])
    return replace(
        case,
        effective_texts=_mean([outcome.weighted.effective_texts for outcome in known]),
        mistake_ratio=float(np.median([outcome.weighted.mistake_ratio or 0.0 for outcome in known])),
        error=float(errors.mean()),
        abs_error=float(np.abs(errors).mean()),
        unweighted_error=_mean([outcome.unweighted.gain - outcome.truth for outcome in known]),
        covered=_mean([outcome.weighted.lower <= outcome.truth <= outcome.weighted.upper for outcome in known]),
        half_width=_mean([(outcome.weighted.upper - outcome.weighted.lower) / 2 for outcome in known]),
        proven=_mean([better_p(outcome.weighted) <= PROOF for outcome in known]),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def measure(seed: int, rounds: int) -> VotesReport:
    """Simulate ``rounds`` rounds with each voting scheme."""
    rng = np.random.default_rng(seed)
    usual = next(iter(CASES.values()))
    return VotesReport(
        provenance=provenance("numpy", "scipy"),
        people=usual.people,
        verdicts=usual.verdicts,
        mistakes=usual.mistakes,
        correct=usual.correct,
        asked=usual.asked,
        texts_each=usual.texts_each,
        votes_each=usual.votes_each,
        min_drawn=MIN_DRAWN,
        cases=[measure_case(rng, name, voting, rounds) for name, voting in CASES.items()],
    )


def render(report: VotesReport) -> Table:
    """Return the table that the command prints. Errors are in percentage points."""
    table = Table("votes", "gain", "can't tell", "mean error", "unweighted", "95% interval covers", "proven")
    for case in report.cases:
        table.add_row(
            case.name,
            f"{100 * case.gain:g}",
            f"{case.unknown:.0%}",
            *(_points(value) for value in (case.error, case.unweighted_error)),
            *(_share(value) for value in (case.covered, case.proven)),
        )
    return table


def _points(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.2f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, print a table and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("--seed", type=int, default=20_261_130)
    parser.add_argument("--rounds", type=int, default=200, help="simulated rounds of each way of voting")
    add_out_option(parser, "gate_votes")
    given = parser.parse_args(arguments)
    report = measure(given.seed, given.rounds)
    Console().print(render(report))
    write_results(given.out, report)


if __name__ == "__main__":
    main()
