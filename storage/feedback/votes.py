"""What people say of predictions: one judgement a person and text, changed by the next, never doubled."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import Vote
from storage.db.tables import MessageRow, PredictionRow, VoteRow
from storage.errors import UnknownPrediction

# What is true when a prediction of the label on the left is wrong.
OPPOSITE: Final = {"Negative": "Positive", "Positive": "Negative"}


@dataclass(frozen=True, slots=True)
class StoredVote:
    """What a person says of a text now. ``prediction_id`` is the prediction that they judged it under.

    ``label`` is the label that the person says is true, None for neither.
    """

    id: int
    person_id: int
    prediction_id: int
    vote: Vote
    label: str | None
    created_at: datetime


def record_vote(unit: UnitOfWork, person_id: int, prediction_id: int, verdict: Vote) -> Vote | None:
    """Keep a verdict; the verdict that it replaces, None when it is the person's first on this text.

    Equal texts count as one, so judging a text again under a newer prediction replaces too. Raises
    UnknownPrediction when the prediction is gone.
    """
    found = unit.execute(
        select(MessageRow.text_hash, PredictionRow.label)
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .where(PredictionRow.id == prediction_id)
    ).one_or_none()
    if found is None:
        raise UnknownPrediction(prediction_id=prediction_id)
    text_hash, label = found
    said = {
        "prediction_id": prediction_id,
        "verdict": verdict,
        "label": _true_label(label, verdict),
        "created_at": utc_now(),
    }
    replaced = unit.scalar(select(VoteRow.verdict).where(_on_text(person_id, prediction_id)).with_for_update())
    unit.execute(
        unit.insert(VoteRow)
        .values(person_id=person_id, text_hash=text_hash, **said)
        .on_conflict_do_update(index_elements=[VoteRow.person_id, VoteRow.text_hash], set_=said)
    )
    return replaced


def undo_vote(unit: UnitOfWork, person_id: int, prediction_id: int) -> Vote | None:
    """Take back what the person said of the text of this prediction; the verdict that went, None when none was."""
    verdict = unit.scalar(select(VoteRow.verdict).where(_on_text(person_id, prediction_id)).with_for_update())
    unit.change(delete(VoteRow).where(_on_text(person_id, prediction_id)))
    return verdict


def vote_of(unit: UnitOfWork, person_id: int, prediction_id: int) -> StoredVote | None:
    """Find what the person says of the text of this prediction, under this one or another of an equal text."""
    row = unit.scalar(select(VoteRow).where(_on_text(person_id, prediction_id)))
    if row is None:
        return None
    return StoredVote(row.id, row.person_id, row.prediction_id, row.verdict, row.label, row.created_at)


def _true_label(label: str, verdict: Vote) -> str | None:
    if verdict is Vote.NEITHER:
        return None
    return label if verdict is Vote.RIGHT else OPPOSITE[label]


def _on_text(person_id: int, prediction_id: int) -> ColumnElement[bool]:
    text_hash = (
        select(MessageRow.text_hash)
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .where(PredictionRow.id == prediction_id)
        .scalar_subquery()
    )
    return (VoteRow.person_id == person_id) & (VoteRow.text_hash == text_hash)
