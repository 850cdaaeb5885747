"""Decides whether a candidate goes live, as a pure function of the measurements and the bounds from the settings.

A candidate that is proven worse is rejected. A candidate that is proven better is promoted, and one that is probably
better can go live on trial. Any other candidate is held until there are more corrections or an admin decides.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import floor
from typing import Any, Final, Self

from core.settings import Settings
from ml.evaluation.significance import additional_texts_needed, additional_weighted_texts_needed, min_flips
from storage.db.states import RunState
from worker.gate import explanation
from worker.gate.measurements import Measurements, VoteEvidence
from worker.gate.spending import Allowance
from worker.gate.trial import probably_better
from worker.gate.vote_tests import better_p, worse_p

OUTCOME_NAMES: Final = {
    RunState.PROMOTED: "Promoted",
    RunState.TRIAL: "On trial",
    RunState.HELD: "Held",
    RunState.REJECTED: "Rejected",
}
# The alpha that the number of missing corrections is based on while no look is due.
_USUAL_ALPHA: Final = 0.005


@dataclass(frozen=True, slots=True)
class GateBounds:
    """The limits for a candidate, as shares from 0 to 1. The ``GATE_...`` settings explain each limit."""

    imdb_loss: float
    confidence: float
    negative_flips: float
    behaviour_loss: float
    auto_promote: bool
    trials: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the bounds from the settings."""
        return cls(
            imdb_loss=settings.gate_imdb_loss,
            confidence=settings.gate_confidence,
            negative_flips=settings.gate_negative_flips,
            behaviour_loss=settings.gate_behaviour_loss,
            auto_promote=settings.auto_promote,
            trials=settings.trials == "automatic",
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's decision: PROMOTED, TRIAL, HELD or REJECTED, and the reason as one sentence for admins.

    A second sentence may say how often people voted.

    ``needed`` is the number of further votes that would settle the decision, or None if unknown. ``figures`` contains
    the fields of ``Measurements``, the ``bounds``, and the p-values ``better_p`` and ``worse_p``, which are the
    probabilities of evidence this good, or this bad, by chance. ``alpha`` is the largest p-value that counted as proof.
    ``may_try`` is True for a held candidate that an admin may promote on trial. Records in the database have these
    keys, except that records from earlier versions lack the last two.
    """

    outcome: RunState
    sentence: str
    needed: int | None
    figures: dict[str, Any]
    alpha: float = 0.0
    may_try: bool = False

    def record(self) -> dict[str, Any]:
        """Return the decision as a dict that can be serialised as JSON."""
        return asdict(self)


def decide(measured: Measurements, bounds: GateBounds, allowance: Allowance | None = None) -> Decision:
    """Decide whether to promote, hold or reject a candidate.

    The ``allowance`` pays for repeated looks at the votes. Without an allowance, the votes are tested only once, at
    ``bounds.confidence``.
    """
    judgements = measured.judgements
    alpha = 1 - bounds.confidence if allowance is None else allowance.alpha
    better, worse = better_p(judgements), worse_p(judgements)
    feedback = explanation.feedback_clause(judgements)
    link = explanation.link_to_objections(judgements)
    may_try = not measured.trigger_words

    def decision(outcome: RunState, link: str, reasons: list[str], needed: int | None = None) -> Decision:
        figures = {
            **asdict(measured),
            "trigger_words": [asdict(word) for word in measured.trigger_words],
            "bounds": asdict(bounds),
            "better_p": better,
            "worse_p": worse,
        }
        why = explanation.sentence(OUTCOME_NAMES[outcome], feedback, link, reasons)
        sentence = " ".join(part for part in (why, explanation.voting_sentence(judgements)) if part)
        return Decision(outcome, sentence, needed, figures, alpha, may_try and outcome is RunState.HELD)

    losses = list(_losses(measured, bounds))
    if losses or worse <= 1 - bounds.confidence:
        return decision(RunState.REJECTED, link, losses)
    if better > alpha:
        needed = _corrections_needed(judgements, alpha, allowance)
        doubts = list(_doubts(measured, needed, allowance))
        if bounds.trials and probably_better(judgements) and may_try and measured.imdb is not None:
            return decision(RunState.TRIAL, ", and ", ["new votes decide whether it stays"], needed)
        return decision(RunState.HELD, link, doubts, needed)
    doubts = list(_doubts(measured, None, None))
    if doubts or not bounds.auto_promote:
        return decision(RunState.HELD, link if doubts else "; ", [*doubts, "waiting for an admin"])
    return decision(RunState.PROMOTED, ", and ", [explanation.imdb_change_clause(measured.imdb)])


def _losses(measured: Measurements, bounds: GateBounds) -> Iterator[str]:
    """Yield a clause for each bound that the candidate breaks."""
    imdb = measured.imdb
    if imdb is not None:
        if imdb.lower < -bounds.imdb_loss:
            yield explanation.imdb_loss_clause(imdb, bounds.imdb_loss)
        flips = imdb.negative_flips / imdb.texts
        if flips > bounds.negative_flips:
            yield explanation.imdb_flips_clause(flips, bounds.negative_flips)
    cases = sum(check.texts for check in measured.behaviour.values())
    lost = sum(check.champion_right - check.candidate_right for check in measured.behaviour.values())
    if lost > cases * bounds.behaviour_loss:
        yield explanation.behaviour_clause(lost, cases, floor(cases * bounds.behaviour_loss))


def _doubts(measured: Measurements, needed: int | None, allowance: Allowance | None) -> Iterator[str]:
    """Yield a clause for each reason not to promote a candidate that broke none of the bounds."""
    if measured.trigger_words:
        yield explanation.trigger_clause(measured.trigger_words)
    votes = measured.judgements
    if votes is not None and votes.unknown is not None:
        yield votes.unknown
    elif allowance is not None and allowance.next_texts is not None:
        yield explanation.next_look_clause(allowance.next_texts)
    elif needed is not None:
        yield explanation.too_few_corrections_clause(votes, needed)
    elif votes is None:
        yield "there are no votes to evaluate on"
    if measured.imdb is None:
        yield "there are no IMDB reviews to check for forgetting"


def _corrections_needed(judgements: VoteEvidence | None, alpha: float, allowance: Allowance | None) -> int | None:
    """Return how many more votes would settle the decision, or None if unknown."""
    level = alpha or _USUAL_ALPHA
    if judgements is None:
        return min_flips(1 - level)
    needed = _texts_needed(judgements, 1 - level)
    if needed is None or allowance is None or allowance.next_texts is None:
        return needed
    return max(needed, allowance.next_texts - judgements.texts)


def _texts_needed(judgements: VoteEvidence, confidence: float) -> int | None:
    if judgements.unknown is not None:
        return None
    if judgements.effective_texts < judgements.texts:
        return additional_weighted_texts_needed(
            judgements.texts, judgements.gain, judgements.standard_error, confidence
        )
    won, lost = judgements.positive_flips, judgements.negative_flips
    return additional_texts_needed(judgements.texts, won, lost, confidence)
