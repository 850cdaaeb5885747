"""The votes that a candidate was measured on, one row per text, and the evidence that they give together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.evaluation.paired_counts import count_pairs
from worker.gate.measurements import VoteEvidence


@dataclass(frozen=True, slots=True)
class VoteRow:
    """A text with a usable vote, and which of the two models predicts the label that people agreed on.

    ``message_id`` is the message in the run's snapshot, and ``label`` is a name from LABELS.
    """

    message_id: int
    label: str
    champion_correct: bool
    candidate_correct: bool


def vote_evidence(rows: Sequence[VoteRow]) -> VoteEvidence | None:
    """Return the evidence that the rows give together, or None if there are none. All texts have equal weight."""
    if not rows:
        return None
    champion = np.array([row.champion_correct for row in rows])
    candidate = np.array([row.candidate_correct for row in rows])
    return VoteEvidence.equally_weighted(count_pairs(champion, candidate))
