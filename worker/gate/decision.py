"""Whether a candidate goes live: a pure function of what was measured and of the bounds, which are settings.

Proven worse, it is rejected; proven better, promoted; else held, for more judgements or for an admin.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import floor
from typing import Any, Self

from core.settings import Settings
from ml.evaluation.significance import additional_texts_needed, mcnemar_p_value, min_flips
from storage.db.states import RunState
from worker.gate.explanation import on_feedback, points, turning
from worker.gate.measurements import Measured, Paired


@dataclass(frozen=True, slots=True)
class GateBounds:
    """What a candidate has to keep to; shares are 0 to 1, and the settings ``GATE_...`` say what each is of."""

    imdb_loss: float
    confidence: float
    negative_flips: float
    behaviour_loss: float
    auto_promote: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The bounds that the settings name."""
        return cls(
            imdb_loss=settings.gate_imdb_loss,
            confidence=settings.gate_confidence,
            negative_flips=settings.gate_negative_flips,
            behaviour_loss=settings.gate_behaviour_loss,
            auto_promote=settings.auto_promote,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided: PROMOTED, HELD or REJECTED, and why, in one sentence for people.

    ``needed`` is how many more held-out judgements would tell, None where no number is known. ``figures`` are those
    of ``Measured``, the ``bounds`` they were held against, and ``better_p`` and ``worse_p``: how likely flips this
    good, or this bad, are by chance.
    """

    outcome: RunState
    sentence: str
    needed: int | None
    figures: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """The decision as JSON takes it."""
        return asdict(self)


def decide(measured: Measured, bounds: GateBounds) -> Decision:
    """Judge a candidate."""
    judgements = measured.judgements
    better, worse = _chances(judgements)
    proven_worse = worse <= 1 - bounds.confidence
    proven_better = better <= 1 - bounds.confidence
    feedback = on_feedback(judgements)

    def decided(outcome: RunState, sentence: str, needed: int | None = None) -> Decision:
        figures = {
            **asdict(measured),
            "trigger_words": [asdict(word) for word in measured.trigger_words],
            "bounds": asdict(bounds),
            "better_p": better,
            "worse_p": worse,
        }
        return Decision(outcome, sentence, needed, figures)

    losses = list(_losses(measured, bounds))
    if losses or proven_worse:
        return decided(RunState.REJECTED, _sentence("Rejected", feedback, _link(judgements), losses))
    needed = None if proven_better else _still_needed(judgements, bounds)
    doubts = list(_doubts(measured, needed, proven_better))
    if proven_better and (doubts or not bounds.auto_promote):
        link = _link(judgements) if doubts else "; "
        return decided(RunState.HELD, _sentence("Held", feedback, link, [*doubts, "it waits for an admin"]))
    if not proven_better:
        return decided(RunState.HELD, _sentence("Held", feedback, _link(judgements), doubts), needed)
    return decided(RunState.PROMOTED, _sentence("Promoted", feedback, ", and ", [_kept(measured.imdb)]))


def _chances(judgements: Paired | None) -> tuple[float, float]:
    """How likely it is by chance that the candidate does so well, and so badly."""
    if judgements is None:
        return 1.0, 1.0
    won, lost = judgements.positive_flips, judgements.negative_flips
    return mcnemar_p_value(won, lost), mcnemar_p_value(lost, won)


def _losses(measured: Measured, bounds: GateBounds) -> Iterator[str]:
    """What the candidate has lost beyond its bounds."""
    if measured.imdb is not None:
        imdb = measured.imdb
        if imdb.lower < -bounds.imdb_loss:
            yield _fall(imdb, bounds.imdb_loss)
        flips = imdb.negative_flips / imdb.texts
        if flips > bounds.negative_flips:
            found, bound = points(flips, bounds.negative_flips), points(bounds.negative_flips, flips)
            yield f"{found} % of the IMDB reviews turned from right to wrong; the bound is {bound} %"
    cases = sum(check.texts for check in measured.behaviour.values())
    lost = sum(check.champion_right - check.candidate_right for check in measured.behaviour.values())
    if lost > cases * bounds.behaviour_loss:
        allowed = floor(cases * bounds.behaviour_loss)
        yield f"it fails {lost} more of the {cases} behavioural cases; the bound is {allowed}"


def _fall(imdb: Paired, bound: float) -> str:
    """How far IMDB fell, or may have fallen."""
    fell = (imdb.champion_right - imdb.candidate_right) / imdb.texts
    at_most = f"the bound is {points(bound, fell)}"
    if fell > bound:
        return f"IMDB fell {points(fell, bound)} points; {at_most}"
    may = f"may have fallen {points(-imdb.lower, bound)}"
    at_most = f"the bound is {points(bound, -imdb.lower)}"
    if fell > 0:
        return f"IMDB fell {points(fell, bound)} points and {may}; {at_most}"
    return f"IMDB {may} points; {at_most}"


def _doubts(measured: Measured, needed: int | None, proven_better: bool) -> Iterator[str]:
    """Why a candidate that lost nothing does not go live by itself."""
    if measured.trigger_words:
        yield turning(measured.trigger_words)
    if measured.judgements is None:
        asked = "" if needed is None else f"; at least {needed} are needed"
        yield f"no judgements were held out to measure by{asked}"
    elif not proven_better and needed is not None:
        texts = measured.judgements.texts
        yield f"{texts} held-out judgements are too few to tell; about {needed} more are needed"
    if measured.imdb is None:
        yield "without IMDB nobody knows what it forgot"


def _still_needed(judgements: Paired | None, bounds: GateBounds) -> int | None:
    if judgements is None:
        return min_flips(bounds.confidence)
    won, lost = judgements.positive_flips, judgements.negative_flips
    return additional_texts_needed(judgements.texts, won, lost, bounds.confidence)


def _kept(imdb: Paired | None) -> str:
    """How a promoted candidate did on IMDB."""
    if imdb is None or imdb.candidate_right == imdb.champion_right:
        return "IMDB stayed as it was"
    change = abs(imdb.candidate_right - imdb.champion_right) / imdb.texts
    return f"IMDB {'rose' if imdb.candidate_right > imdb.champion_right else 'fell'} {points(change, 0)} points"


def _link(judgements: Paired | None) -> str:
    """What stands between how feedback went and what speaks against the candidate."""
    better = judgements is not None and judgements.candidate_right > judgements.champion_right
    return ", but " if better else ", and "


def _sentence(outcome: str, feedback: str, link: str, reasons: list[str]) -> str:
    """One sentence: the outcome, how feedback went, and the reasons."""
    parts = [part for part in (feedback, "; ".join(reasons)) if part]
    return f"{outcome}: {link.join(parts)}."
