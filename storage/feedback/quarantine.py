"""Finds texts for an admin to review.

An admin should look at texts that people disagree about, and at texts with an agreed label that the model finds
unlikely. An admin decides with an ordinary vote. Texts are never excluded or deleted just because they are unusual.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from storage.chat.messages import get_texts
from storage.db.database import UnitOfWork
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import VotedText, voted_texts

# Predicted probability (0 to 1) of an agreed label below which the text is shown to admins.
UNLIKELY: Final = 0.02


class QuarantineReason(StrEnum):
    """Why a text is shown to admins.

    Texts with a DISAGREEMENT are not used for training, but texts with an UNLIKELY label are.
    """

    DISAGREEMENT = "disagreement"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class QuarantinedText:
    """A text for an admin to review, with the prediction to vote on and the number of votes for each label.

    The label None stands for neither label. ``confidence`` is the probability (0 to 1) that the model gave
    ``predicted``.
    """

    message_id: int
    prediction_id: int
    author_id: int
    text: str
    predicted: str
    confidence: float
    votes: tuple[tuple[str | None, int], ...]
    reason: QuarantineReason


def quarantined_texts(unit: UnitOfWork, quorum: int, admins: frozenset[int], count: int) -> list[QuarantinedText]:
    """Return the first ``count`` texts: disagreements, oldest first, then unlikely labels, least likely first."""
    found = _find_quarantined(unit, quorum, admins)[:count]
    texts = get_texts(unit, [text.message_id for text, _ in found])
    return [
        _quarantined_text(voted, texts[voted.message_id], reason)
        for voted, reason in found
        if voted.message_id in texts
    ]


def count_quarantined(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> Counter[QuarantineReason]:
    """Return the number of quarantined texts for each reason."""
    return Counter(reason for _, reason in _find_quarantined(unit, quorum, admins))


def _find_quarantined(
    unit: UnitOfWork, quorum: int, admins: frozenset[int]
) -> list[tuple[VotedText, QuarantineReason]]:
    disagreements, unlikely = [], []
    for text in voted_texts(unit, quorum, admins):
        consensus = text.consensus
        if consensus.state is ConsensusState.QUARANTINED:
            disagreements.append(text)
        elif consensus.label is not None and not consensus.by_admin:
            probability = text.probability_of(consensus.label)
            if probability < UNLIKELY:
                unlikely.append((probability, text))
    disagreements.sort(key=lambda text: text.message_id)
    unlikely.sort(key=lambda pair: (pair[0], pair[1].message_id))
    return [(text, QuarantineReason.DISAGREEMENT) for text in disagreements] + [
        (text, QuarantineReason.UNLIKELY) for _, text in unlikely
    ]


def _quarantined_text(voted: VotedText, text: str, reason: QuarantineReason) -> QuarantinedText:
    votes = Counter(vote.label for vote in voted.votes)
    return QuarantinedText(
        message_id=voted.message_id,
        prediction_id=voted.prediction_id,
        author_id=voted.author_id,
        text=text,
        predicted=voted.predicted,
        confidence=voted.confidence,
        votes=tuple(sorted(votes.items(), key=lambda item: item[0] or "")),
        reason=reason,
    )
