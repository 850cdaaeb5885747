"""Votes, the texts offered to labellers, and the labellers whose votes don't count for now."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.db.column_types import RowId, enum_column, utc_now
from storage.db.states import (
    OfferState,
    Reason,
    Selection,
    Vote,
)
from storage.db.tables.base import Base, cascade


class VoteRow(Base):
    """One person's vote on one text. There is a single row, no matter how many predictions the text has."""

    __tablename__ = "judgements"
    __table_args__ = (UniqueConstraint("person_id", "text_hash"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(cascade("people.id"))
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    prediction_id: Mapped[int] = mapped_column(cascade("predictions.id"), index=True)
    verdict: Mapped[Vote] = mapped_column(enum_column(Vote))
    label: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[Reason | None] = mapped_column(enum_column(Reason))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class OfferRow(Base):
    """A text that was offered to a labeller: either a user's text, identified by its prediction, or a gold question.

    ``selection`` says how a user's text was chosen. ``selection`` is NULL for gold questions and in offers from before
    migration 0005. A gold question has a ``prediction_id`` if it is a user's text that an admin decided on.
    ``closed_at`` is when the labeller answered, skipped or undid it, or NULL in offers from before migration 0007.
    """

    __tablename__ = "label_offers"
    __table_args__ = (UniqueConstraint("person_id", "text_hash"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(cascade("people.id"))
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    prediction_id: Mapped[int | None] = mapped_column(cascade("predictions.id"), index=True)
    gold_label: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[OfferState] = mapped_column(enum_column(OfferState), default=OfferState.SHOWN)
    answer: Mapped[str | None] = mapped_column(String(16))
    selection: Mapped[Selection | None] = mapped_column(enum_column(Selection))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    closed_at: Mapped[datetime | None]


class PausedLabellerRow(Base):
    """A labeller whose votes don't count for now, because they missed too many gold questions."""

    __tablename__ = "paused_labellers"
    __table_args__ = ()

    person_id: Mapped[int] = mapped_column(cascade("people.id"), primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
