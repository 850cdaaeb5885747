"""Decides whether a candidate goes live: a pure function of the measurements and the bounds from the settings.

A candidate that is proven worse is rejected, and a candidate that is proven better is promoted. Any other candidate is
held until there are more corrections or an admin decides.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import floor
from typing import Any, Self

from core.settings import Settings
from ml.evaluation.significance import additional_texts_needed, mcnemar_p_value, min_flips
from storage.db.states import RunState
from worker.gate import explanation
from worker.gate.measurements import Measurements, VoteEvidence


@dataclass(frozen=True, slots=True)
class GateBounds:
    """The limits for a candidate, as shares from 0 to 1. The ``GATE_...`` settings explain each limit."""

    imdb_loss: float
    confidence: float
    negative_flips: float
    behaviour_loss: float
    auto_promote: bool

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the bounds from the settings."""
        return cls(
            imdb_loss=settings.gate_imdb_loss,
            confidence=settings.gate_confidence,
            negative_flips=settings.gate_negative_flips,
            behaviour_loss=settings.gate_behaviour_loss,
            auto_promote=settings.auto_promote,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's decision: PROMOTED, HELD or REJECTED, and the reason as one sentence for admins.

    ``needed`` is the number of additional held-out corrections that would settle the decision, or None if unknown.
    ``figures`` holds the fields of ``Measurements``, the ``bounds``, and the p-values ``better_p`` and ``worse_p``: the
    probability of getting flips this good, or this bad, by chance. These keys are also used in records in the database.
    """

    outcome: RunState
    sentence: str
    needed: int | None
    figures: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """Return the decision as a dict that can be serialised as JSON."""
        return asdict(self)


def decide(measured: Measurements, bounds: GateBounds) -> Decision:
    """Decide whether to promote, hold or reject a candidate."""
    judgements = measured.judgements
    better_p, worse_p = _p_values(judgements)
    proven_better = better_p <= 1 - bounds.confidence
    proven_worse = worse_p <= 1 - bounds.confidence
    feedback = explanation.feedback_clause(judgements)
    link = explanation.link_to_objections(judgements)

    def decision(outcome: RunState, link: str, reasons: list[str], needed: int | None = None) -> Decision:
        figures = {
            **asdict(measured),
            "trigger_words": [asdict(word) for word in measured.trigger_words],
            "bounds": asdict(bounds),
            "better_p": better_p,
            "worse_p": worse_p,
        }
        sentence = explanation.sentence(outcome.value.capitalize(), feedback, link, reasons)
        return Decision(outcome, sentence, needed, figures)

    losses = list(_losses(measured, bounds))
    if losses or proven_worse:
        return decision(RunState.REJECTED, link, losses)
    if not proven_better:
        needed = _corrections_needed(judgements, bounds)
        return decision(RunState.HELD, link, list(_doubts(measured, needed)), needed)
    doubts = list(_doubts(measured, None))
    if doubts or not bounds.auto_promote:
        return decision(RunState.HELD, link if doubts else "; ", [*doubts, "waiting for an admin"])
    return decision(RunState.PROMOTED, ", and ", [explanation.imdb_change_clause(measured.imdb)])


def _p_values(judgements: VoteEvidence | None) -> tuple[float, float]:
    """Return the one-sided p-values for "the candidate is better" and for "it is worse"."""
    if judgements is None:
        return 1.0, 1.0
    won, lost = judgements.positive_flips, judgements.negative_flips
    return mcnemar_p_value(won, lost), mcnemar_p_value(lost, won)


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


def _doubts(measured: Measurements, needed: int | None) -> Iterator[str]:
    """Yield a clause for each reason not to promote a candidate that broke no bound."""
    if measured.trigger_words:
        yield explanation.trigger_clause(measured.trigger_words)
    if needed is not None:
        yield explanation.too_few_corrections_clause(measured.judgements, needed)
    elif measured.judgements is None:
        yield "there are no held-out corrections to evaluate on"
    if measured.imdb is None:
        yield "there are no IMDB reviews to check for forgetting"


def _corrections_needed(judgements: VoteEvidence | None, bounds: GateBounds) -> int | None:
    """Return how many more held-out corrections would settle the decision, or None if unknown."""
    if judgements is None:
        return min_flips(bounds.confidence)
    won, lost = judgements.positive_flips, judgements.negative_flips
    return additional_texts_needed(judgements.texts, won, lost, bounds.confidence)
