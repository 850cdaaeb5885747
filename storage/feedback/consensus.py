"""What the votes on one text amount to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsensusState(StrEnum):
    """What a judged text is good for; SETTLED: people agree that it has no sentiment, so it never trains."""

    USABLE = "usable"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class LabelVote:
    """What one person says of a text: ``label``, or None for neither sentiment."""

    person_id: int
    by_admin: bool
    label: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Consensus:
    """How a text stands. ``label`` and ``supporters``, the people who say so, only mean something once it is USABLE.

    ``by_admin`` says that an admin's word decided.
    """

    state: ConsensusState
    label: str | None = None
    supporters: tuple[int, ...] = ()
    by_admin: bool = False


def tally(votes: Sequence[LabelVote], quorum: int) -> Consensus:
    """Count the votes on a text, one a person.

    The newest word of an admin decides alone. Else all have to say the same, and ``quorum`` people have to say it.
    """
    words = sorted((vote for vote in votes if vote.by_admin), key=lambda vote: (vote.at, vote.person_id))
    if words:
        return _settled(votes, words[-1].label, by_admin=True)
    labels = {vote.label for vote in votes}
    if len(labels) > 1:
        return Consensus(ConsensusState.QUARANTINED)
    if len(votes) < max(quorum, 1):
        return Consensus(ConsensusState.WAITING)
    return _settled(votes, labels.pop(), by_admin=False)


def _settled(votes: Sequence[LabelVote], label: str | None, by_admin: bool) -> Consensus:
    if label is None:
        return Consensus(ConsensusState.SETTLED, by_admin=by_admin)
    supporters = tuple(sorted(vote.person_id for vote in votes if vote.label == label))
    return Consensus(ConsensusState.USABLE, label, supporters, by_admin)
