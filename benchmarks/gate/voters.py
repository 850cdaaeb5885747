"""Simulates people who vote on some of the verdicts that they are shown, at rates that vary by person.

People differ in how often the model is wrong about their texts, in how often they vote on mistakes and on correct
verdicts, and in how much a candidate gains on their texts. The confidences are not calibrated. The gate doesn't know
any of this, because it gets only the shown verdicts and the votes.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import expit, logit

from ml.text.labels import LABELS
from storage.feedback.shown_verdicts import ShownVerdict, ShownVerdicts
from worker.gate.vote_rows import VoteRow

# The shares of correct verdicts that the candidate gets wrong, and of the questions that people answer.
_BROKEN: Final = 0.04
_ANSWERED: Final = 0.6
# The first id of the people who collude.
_COLLUDING: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Voting:
    """How people vote in a round. All shares are from 0 to 1.

    ``mistakes`` is the range for the share of mistakes that a person votes on, and ``correct`` is the range for the
    share of correct verdicts. For ``/label``, ``drawn`` verdicts are drawn at random from those without votes. The bot
    asks about a share ``asked`` of the verdicts. ``gain`` is the candidate's expected gain in accuracy.

    There are also ``colluders`` colluders. Each of them is shown ``texts_each`` verdicts and votes on ``votes_each`` of
    them, always in favour of the candidate. The colluders' texts do not count towards the true gain.
    """

    gain: float
    drawn: int
    people: int = 60
    verdicts: int = 2_500
    mistakes: tuple[float, float] = (0.1, 0.8)
    correct: tuple[float, float] = (0.02, 0.4)
    asked: float = 0.05
    colluders: int = 0
    texts_each: int = 100
    votes_each: int = 6


@dataclass(frozen=True, slots=True)
class Round:
    """A simulated round: the texts with votes, all shown verdicts, and the candidate's true gain over them."""

    rows: list[VoteRow]
    shown: ShownVerdicts
    gain: float


def simulate_round(rng: np.random.Generator, voting: Voting) -> Round:
    """Draw people and their texts, verdicts and votes."""
    people, count = voting.people, voting.verdicts
    person = rng.choice(people, count, p=rng.dirichlet(np.full(people, 1.5)))
    confidence = np.clip(expit(rng.gamma(2.0, 1.0, count)), 0.5, 0.9999)
    hard = rng.normal(0, 0.6, people)
    wrong = rng.random(count) < expit(0.35 - 0.8 * logit(confidence) + hard[person] + rng.normal(0, 0.3, count))
    broken = _BROKEN * np.exp(0.5 * hard[person])
    fixed = (voting.gain + float((broken * ~wrong).mean())) / float(wrong.mean()) * np.exp(rng.normal(0, 0.3, people))
    change = np.where(wrong, rng.random(count) < fixed[person], -(rng.random(count) < broken).astype(np.int64))
    asked = rng.random(count) < voting.asked
    rate = np.where(wrong, rng.uniform(*voting.mistakes, people)[person], rng.uniform(*voting.correct, people)[person])
    voted = (rng.random(count) < rate) | (asked & (rng.random(count) < _ANSWERED))
    drawn = np.zeros(count, np.bool_)
    drawn[rng.choice(np.flatnonzero(~voted), voting.drawn, replace=False)] = True
    label, size = rng.integers(0, 2, count), np.exp(rng.normal(6, 0.8, count))
    verdicts, rows = [], []
    for index in range(count):
        shown = LABELS[label[index]]
        verdict = ShownVerdict(
            index, int(person[index]), shown, float(confidence[index]), int(size[index]), bool(asked[index])
        )
        if voted[index] or drawn[index]:
            agreed = LABELS[1 - label[index]] if wrong[index] else shown
            verdict = _with_votes(verdict, agreed, drawn=bool(drawn[index]), voted=bool(voted[index]))
            right = not wrong[index]
            rows.append(VoteRow(index, agreed, right, bool(right + change[index])))
        verdicts.append(verdict)
    found = Round(rows, ShownVerdicts(tuple(verdicts)), float(change.mean()))
    return _with_colluders(found, voting) if voting.colluders else found


def _with_votes(verdict: ShownVerdict, agreed: str, *, drawn: bool, voted: bool) -> ShownVerdict:
    return replace(verdict, has_votes=True, usable=True, agreed=agreed, drawn=drawn, voted=voted)


def _with_colluders(found: Round, voting: Voting) -> Round:
    """Add colluders, who vote rarely, and only where the live model contradicts them and the candidate agrees."""
    verdicts, rows = list(found.shown.verdicts), list(found.rows)
    for number in range(voting.colluders):
        for text in range(voting.texts_each):
            verdict = ShownVerdict(len(verdicts), _COLLUDING + number, LABELS[1], 0.9, 400)
            if text < voting.votes_each:
                verdict = _with_votes(verdict, LABELS[0], drawn=False, voted=True)
                rows.append(VoteRow(verdict.message_id, LABELS[0], champion_correct=False, candidate_correct=True))
            verdicts.append(verdict)
    return Round(rows, ShownVerdicts(tuple(verdicts)), found.gain)
