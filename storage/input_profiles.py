"""Profiles of the texts that people sent in a period, from the counts stored with each prediction.

When a person or a text is deleted, its counts are deleted too.
"""

from datetime import datetime

from sqlalchemy import func, select

from core.input_profile import InputProfile
from storage.db.database import UnitOfWork
from storage.db.tables import MessageRow, PredictionRow


def profile_between(unit: UnitOfWork, start: datetime, end: datetime) -> InputProfile | None:
    """Return the profile of the texts sent from ``start`` up to ``end``, or None if none of them was counted.

    An edited text counts with each of its versions.
    """
    positive = func.count().filter(PredictionRow.label == "Positive")
    words, unknown = func.sum(PredictionRow.words), func.sum(PredictionRow.unknown_words)
    row = unit.execute(
        select(func.count(), positive, func.avg(PredictionRow.confidence), words, unknown)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(MessageRow.created_at >= start, MessageRow.created_at < end, PredictionRow.words.is_not(None))
    ).one()
    texts, positives, confidence, all_words, unknown_words = row
    if not texts:
        return None
    return InputProfile(
        texts=texts,
        positive=positives / texts,
        confidence=float(confidence),
        words=float(all_words / texts),
        unknown=float(unknown_words / max(all_words, 1)),
    )


def first_counted(unit: UnitOfWork) -> datetime | None:
    """Return when the oldest text with counts was sent, or None if there is none."""
    return unit.scalar(
        select(MessageRow.created_at)
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .where(PredictionRow.words.is_not(None))
        .order_by(PredictionRow.id)
        .limit(1)
    )
