"""Aggregates the votes on a text into a consensus."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from storage.db.states import Reason

NEITHER: Final = "Neither"
"""Stands for the label where people say that neither label fits."""


class ConsensusState(StrEnum):
    """The state of a text's consensus.

    SETTLED: people agree that neither label fits, so the text never trains the classifier.
    """

    USABLE = "usable"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class LabelVote:
    """One person's vote on a text, with the reason if they gave one. ``label`` is None if neither label fits."""

    person_id: int
    by_admin: bool
    label: str | None
    at: datetime
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Consensus:
    """The consensus on a text. ``label`` is set only if the state is USABLE.

    ``supporters`` are the ids of the people who voted for the label, or for neither label if the state is SETTLED.
    ``reason`` is set only if the state is SETTLED and all supporters who gave a reason gave the same one. ``by_admin``
    is True if an admin's vote decided. In that case, only the admin's reason counts.
    """

    state: ConsensusState
    label: str | None = None
    supporters: tuple[int, ...] = ()
    by_admin: bool = False
    reason: Reason | None = None


def tally(votes: Sequence[LabelVote], quorum: int) -> Consensus:
    """Count the votes on a text, at most one from each person.

    An admin's vote is decisive on its own. If there are several, the newest counts. Without an admin's vote, all votes
    must agree, and there must be at least ``quorum`` votes.
    """
    admin_votes = sorted((vote for vote in votes if vote.by_admin), key=lambda vote: (vote.at, vote.person_id))
    if admin_votes:
        return _agreed(votes, admin_votes[-1].label, admin_votes[-1:], by_admin=True)
    labels = {vote.label for vote in votes}
    if len(labels) > 1:
        return Consensus(ConsensusState.QUARANTINED)
    if len(votes) < max(quorum, 1):
        return Consensus(ConsensusState.WAITING)
    return _agreed(votes, labels.pop(), votes, by_admin=False)


def _agreed(votes: Sequence[LabelVote], label: str | None, deciding: Sequence[LabelVote], by_admin: bool) -> Consensus:
    supporters = tuple(sorted(vote.person_id for vote in votes if vote.label == label))
    if label is not None:
        return Consensus(ConsensusState.USABLE, label, supporters, by_admin)
    reasons = {vote.reason for vote in deciding if vote.reason is not None}
    reason = reasons.pop() if len(reasons) == 1 else None
    return Consensus(ConsensusState.SETTLED, None, supporters, by_admin, reason)
