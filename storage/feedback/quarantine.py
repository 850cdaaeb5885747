"""Judged texts that an admin should look at: people disagree on them, or agree on what the model finds unlikely.

An admin settles one with a judgement of their own, like any other; nothing here is left out or deleted for being odd.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from storage.chat.messages import get_texts
from storage.db.database import UnitOfWork
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import VotedText, voted_texts

# A label that people agree on and that the model gave less than this is worth a look, 0 to 1.
UNLIKELY: Final = 0.02


class QuarantineReason(StrEnum):
    """Why a text is shown: a DISAGREEMENT, which keeps it waiting, or an UNLIKELY label, which counts meanwhile."""

    DISAGREEMENT = "disagreement"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class QuarantinedText:
    """A text to look at, with the prediction to judge it by, and how many people say each label, None being neither.

    ``author_id`` wrote it, and ``chance`` is what the model gave ``predicted``, 0 to 1.
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
    """The first ``count`` texts to look at: disagreements, oldest first, then labels, the least likely first."""
    found = _found(unit, quorum, admins)[:count]
    texts = get_texts(unit, [text.message_id for text, _ in found])
    return [_shown(text, texts[text.message_id], reason) for text, reason in found if text.message_id in texts]


def count_quarantined(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> Counter[QuarantineReason]:
    """How many texts there are to look at, for each reason."""
    return Counter(reason for _, reason in _found(unit, quorum, admins))


def _found(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> list[tuple[VotedText, QuarantineReason]]:
    disagreements, unlikely = [], []
    for text in voted_texts(unit, quorum, admins):
        standing = text.consensus
        if standing.state is ConsensusState.QUARANTINED:
            disagreements.append(text)
        elif standing.label is not None and not standing.by_admin and text.probability_of(standing.label) < UNLIKELY:
            unlikely.append((text.probability_of(standing.label), text))
    disagreements.sort(key=lambda text: text.message_id)
    unlikely.sort(key=lambda pair: (pair[0], pair[1].message_id))
    return [(text, QuarantineReason.DISAGREEMENT) for text in disagreements] + [
        (text, QuarantineReason.UNLIKELY) for _, text in unlikely
    ]


def _shown(text: VotedText, words: str, reason: QuarantineReason) -> QuarantinedText:
    votes = Counter(vote.label for vote in text.votes)
    return QuarantinedText(
        message_id=text.message_id,
        prediction_id=text.prediction_id,
        author_id=text.author_id,
        text=words,
        predicted=text.predicted,
        confidence=text.confidence,
        votes=tuple(sorted(votes.items(), key=lambda item: item[0] or "")),
        reason=reason,
    )
