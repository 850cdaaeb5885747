"""People, the inbox, texts with their predictions, and the outbox."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.db.column_types import EncryptedString, RowId, enum_column, utc_now
from storage.db.states import (
    Abstention,
    ReplyState,
    UpdateState,
)
from storage.db.tables.base import Base, cascade


class PersonRow(Base):
    """A Telegram user who wrote to a bot. ``shows_percentages`` is their choice in /settings."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    telegram_id: Mapped[int] = mapped_column(unique=True)
    name: Mapped[bytes] = mapped_column(EncryptedString)
    language: Mapped[str | None]  # an IETF tag, as Telegram sends it
    shows_percentages: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class UpdateRow(Base):
    """An update in the inbox. The ids are kept after the payload is cleared, so that duplicates are recognised."""

    __tablename__ = "updates"
    __table_args__ = (Index(None, "bot_id", "state", "update_id"), Index(None, "state", "finished_at"))

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    update_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    telegram_id: Mapped[int | None] = mapped_column(index=True)
    payload: Mapped[bytes | None] = mapped_column(EncryptedString)
    state: Mapped[UpdateState] = mapped_column(enum_column(UpdateState), default=UpdateState.RECEIVED)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[bytes | None] = mapped_column(EncryptedString)
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class MessageRow(Base):
    """A text for a model to read. Rows never change. An edited text is a new row that revises the old row."""

    __tablename__ = "messages"
    # The person is in the index so that the people of a day are counted without reading the rows.
    __table_args__ = (Index(None, "created_at", "person_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(cascade("people.id"), index=True)
    bot_id: Mapped[int]
    chat_id: Mapped[int]
    revises: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class MessagePartRow(Base):
    """The part of a text that one Telegram message contained. Positions start at 0."""

    __tablename__ = "message_parts"
    __table_args__ = ()  # SQLite allows AUTOINCREMENT only on a single-column key

    message_id: Mapped[int] = mapped_column(cascade("messages.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    telegram_message_id: Mapped[int]
    text: Mapped[bytes] = mapped_column(EncryptedString)


class MessageAddressRow(Base):
    """The text that a message in a chat belongs to. After an edit, the message belongs to the newer text."""

    __tablename__ = "message_addresses"
    __table_args__ = ()

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    telegram_message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(cascade("messages.id"), index=True)


class PredictionRow(Base):
    """One model version's prediction for one text.

    ``corrected`` is True if the person was shown the opposite label, because people had agreed on it.
    ``question_chance`` is the probability (0 to 1) of asking "Was that right?", or NULL if the bot did not ask.
    ``abstention`` is NULL for texts that read like a review. ``words`` and ``unknown_words`` are the text's
    numbers of words, or NULL for imported texts and for predictions from before migration 0012.
    """

    __tablename__ = "predictions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    message_id: Mapped[int] = mapped_column(cascade("messages.id"), index=True)
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    label: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[float] = mapped_column(index=True)
    sure: Mapped[bool]
    windows: Mapped[int]
    logit_0: Mapped[float]
    logit_1: Mapped[float]
    replaces: Mapped[int | None] = mapped_column(ForeignKey("predictions.id", ondelete="SET NULL"), index=True)
    corrected: Mapped[bool] = mapped_column(default=False)
    question_chance: Mapped[float | None]
    abstention: Mapped[Abstention | None] = mapped_column(enum_column(Abstention))
    words: Mapped[int | None]
    unknown_words: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReplyRow(Base):
    """A new message or an edit in the outbox. ``update_id`` is the update that caused it, if any."""

    __tablename__ = "replies"
    __table_args__ = (
        Index(None, "bot_id", "state", "id"),
        Index(None, "bot_id", "chat_id", "answers"),
        Index(None, "state", "changed_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bot_id: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(cascade("people.id"), index=True)
    chat_id: Mapped[int] = mapped_column(index=True)
    update_id: Mapped[int | None]
    payload: Mapped[bytes] = mapped_column(EncryptedString)
    prediction_id: Mapped[int | None] = mapped_column(cascade("predictions.id"), index=True)
    answers: Mapped[int | None]
    revises: Mapped[int | None]
    state: Mapped[ReplyState] = mapped_column(enum_column(ReplyState), default=ReplyState.PENDING)
    telegram_message_id: Mapped[int | None]
    reason: Mapped[bytes | None] = mapped_column(EncryptedString)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
