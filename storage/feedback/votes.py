"""Votes on predictions. Each person has one vote per text. A new vote replaces the old one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import Reason, Vote
from storage.db.tables import MessageAddressRow, MessageRow, PredictionRow, VoteRow
from storage.errors import UnknownPrediction

# Maps a wrongly predicted label to the correct label.
OPPOSITE: Final = {"Negative": "Positive", "Positive": "Negative"}


@dataclass(frozen=True, slots=True)
class StoredVote:
    """A person's current vote on a text, given on the prediction ``prediction_id``.

    ``label`` is the label that the person considers correct, or None if they think that neither fits. ``reason`` is why
    they voted that way, or None if they gave no reason.
    """

    id: int
    person_id: int
    prediction_id: int
    vote: Vote
    label: str | None
    created_at: datetime
    reason: Reason | None = None

    def vote_on(self, predicted: str) -> Vote:
        """Express this vote as a vote on a prediction of ``predicted``, such as a later model's prediction."""
        if self.label is None:
            return Vote.NEITHER
        return Vote.RIGHT if self.label == predicted else Vote.WRONG


def record_vote(unit: UnitOfWork, person_id: int, prediction_id: int, vote: Vote) -> Vote | None:
    """Store a vote, and return the vote that it replaces, or None if it is the person's first vote on this text.

    The reason for the replaced vote is deleted with it.
    Equal texts are treated as one text, so a vote on a newer prediction for the same text also replaces the old vote.
    Raise UnknownPrediction if the prediction was deleted.
    """
    found = unit.execute(
        select(MessageRow.text_hash, PredictionRow.label)
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .where(PredictionRow.id == prediction_id)
    ).one_or_none()
    if found is None:
        raise UnknownPrediction(prediction_id=prediction_id)
    text_hash, predicted = found
    values = {
        "prediction_id": prediction_id,
        "verdict": vote,
        "label": _correct_label(predicted, vote),
        "reason": None,
        "created_at": utc_now(),
    }
    replaced = unit.scalar(select(VoteRow.verdict).where(_on_text(person_id, prediction_id)).with_for_update())
    unit.execute(
        unit.insert(VoteRow)
        .values(person_id=person_id, text_hash=text_hash, **values)
        .on_conflict_do_update(index_elements=[VoteRow.person_id, VoteRow.text_hash], set_=values)
    )
    return replaced


def record_reason(unit: UnitOfWork, person_id: int, prediction_id: int, reason: Reason) -> None:
    """Store why the person voted as they did on this prediction's text. Do nothing if they have no vote on it."""
    unit.change(update(VoteRow).where(_on_text(person_id, prediction_id)).values(reason=reason))


def undo_vote(unit: UnitOfWork, person_id: int, prediction_id: int) -> Vote | None:
    """Delete the person's vote on this prediction's text, and return the vote, or None if there was none."""
    vote = unit.scalar(select(VoteRow.verdict).where(_on_text(person_id, prediction_id)).with_for_update())
    unit.change(delete(VoteRow).where(_on_text(person_id, prediction_id)))
    return vote


def withdraw_replaced(unit: UnitOfWork, person_id: int, prediction_id: int) -> bool:
    """Delete the person's vote on a text that they replaced by editing their message. Return whether there was one.

    The vote stays if another of their messages still has the same text.
    """
    replaced = select(PredictionRow.message_id).where(PredictionRow.id == prediction_id).scalar_subquery()
    text_hash = select(MessageRow.text_hash).where(MessageRow.id == replaced).scalar_subquery()
    still_sent = (
        select(MessageAddressRow.message_id)
        .join(MessageRow, MessageRow.id == MessageAddressRow.message_id)
        .where(MessageRow.person_id == person_id, MessageRow.text_hash == text_hash, MessageRow.id != replaced)
        .limit(1)
    )
    return unit.scalar(still_sent) is None and undo_vote(unit, person_id, prediction_id) is not None


def vote_of(unit: UnitOfWork, person_id: int, prediction_id: int) -> StoredVote | None:
    """Return the person's vote on this prediction's text, even if they voted on a different prediction for it."""
    row = unit.scalar(select(VoteRow).where(_on_text(person_id, prediction_id)))
    if row is None:
        return None
    return StoredVote(row.id, row.person_id, row.prediction_id, row.verdict, row.label, row.created_at, row.reason)


def _correct_label(predicted: str, vote: Vote) -> str | None:
    if vote is Vote.NEITHER:
        return None
    return predicted if vote is Vote.RIGHT else OPPOSITE[predicted]


def _on_text(person_id: int, prediction_id: int) -> ColumnElement[bool]:
    text_hash = (
        select(MessageRow.text_hash)
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .where(PredictionRow.id == prediction_id)
        .scalar_subquery()
    )
    return (VoteRow.person_id == person_id) & (VoteRow.text_hash == text_hash)
