"""Decides how much a run may spend on a look, which is a test of the votes that can promote the run's model for good.

``ml.evaluation.alpha_spending`` explains how looks are paid for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ml.evaluation.alpha_spending import alpha_for_run
from storage.models.looks import Look, texts_for_next_look
from worker.gate.measurements import VoteEvidence


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a run may spend on a look: the ``alpha`` of its test, which is 0 if no look is due.

    ``next_texts`` is the number of texts with votes at which the next look is due, if the votes were looked at
    recently.
    """

    alpha: float
    next_texts: int | None = None


def allow(
    looks: Sequence[Look], per_year: float, now: datetime, champion: str, evidence: VoteEvidence | None
) -> Allowance:
    """Return what a run may spend on a look at ``evidence``. A look that could not prove anything spends nothing."""
    if evidence is None or evidence.unknown is not None:
        return Allowance(0.0)
    next_texts = texts_for_next_look(looks, champion)
    if evidence.texts < next_texts:
        return Allowance(0.0, next_texts)
    alpha = alpha_for_run(looks, per_year, now)
    can_prove = 0.5 ** (evidence.positive_flips + evidence.negative_flips) <= alpha
    return Allowance(alpha if can_prove else 0.0)
