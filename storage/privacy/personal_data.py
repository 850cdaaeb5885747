"""Collects everything that the database stores about one person, for ``/mydata``."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, or_, select
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import EncryptedString
from storage.db.database import UnitOfWork
from storage.db.tables import (
    Base,
    BlockedPersonRow,
    ConsentRow,
    FollowerRow,
    LearningPauseRow,
    MessageAddressRow,
    MessagePartRow,
    MessageRow,
    ModelChangeRow,
    OfferRow,
    PausedLabellerRow,
    PersonRow,
    PredictionRow,
    ReplyRow,
    RunRow,
    SnapshotRow,
    TrialRow,
    TrialTextRow,
    UpdateRow,
    VoteRow,
)
from storage.privacy.deletions import hash_of

JsonObject = dict[str, Any]


def personal_data(unit: UnitOfWork, telegram_id: int) -> JsonObject:
    """Return all rows about the person with this Telegram id, by subject, with decrypted texts. All values are JSON.

    Times are in UTC. Other people's texts and votes are left out, and so are the hashes by which equal texts are found.
    The value of ``person`` is None if nobody with this id has written to a bot.
    """
    person_id = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    own_messages = select(MessageRow.id).where(MessageRow.person_id == person_id)
    to_them = or_(ReplyRow.person_id == person_id, ReplyRow.chat_id == telegram_id)
    people = _rows(unit, PersonRow, PersonRow.telegram_id == telegram_id)
    is_blocked = BlockedPersonRow.person_hash == hash_of(unit, telegram_id)
    blocked = _rows(unit, BlockedPersonRow, is_blocked)
    replies = _rows(unit, ReplyRow, to_them)
    return {
        "person": people[0] if people else None,
        "blocked_since": blocked[0]["blocked_at"] if blocked else None,
        "messages": _messages(unit, person_id),
        "predictions": _rows(unit, PredictionRow, PredictionRow.message_id.in_(own_messages)),
        "votes": _rows(unit, VoteRow, VoteRow.person_id == person_id),
        "label_offers": _rows(unit, OfferRow, OfferRow.person_id == person_id),
        "labelling_pauses": _rows(unit, PausedLabellerRow, PausedLabellerRow.person_id == person_id),
        "consent_ledger": _rows(unit, ConsentRow, ConsentRow.person_id == person_id),
        "replies": [{**reply, "payload": json.loads(reply["payload"])} for reply in replies],
        "updates": _rows(unit, UpdateRow, UpdateRow.telegram_id == telegram_id),
        "training_texts": _rows(unit, SnapshotRow, SnapshotRow.author_id == person_id),
        "trial_texts": _rows(unit, TrialTextRow, TrialTextRow.message_id.in_(own_messages)),
        "admin": {
            "requested_runs": _ids(unit, RunRow, RunRow.requested_by == telegram_id),
            "followed_runs": _rows(unit, FollowerRow, FollowerRow.chat_id == telegram_id),
            "model_changes": _rows(unit, ModelChangeRow, ModelChangeRow.who == telegram_id),
            "learning_pauses": _rows(unit, LearningPauseRow, LearningPauseRow.who == telegram_id),
            "started_trials": _ids(unit, TrialRow, TrialRow.started_by == telegram_id),
            "ended_trials": _ids(unit, TrialRow, TrialRow.ended_by == telegram_id),
        },
    }


def _messages(unit: UnitOfWork, person_id: Any) -> list[JsonObject]:  # noqa: ANN401 - a scalar subquery
    """Return the person's texts, each with its parts and the Telegram messages that still contain it."""
    own = select(MessageRow.id).where(MessageRow.person_id == person_id)
    messages = _rows(unit, MessageRow, MessageRow.person_id == person_id)
    parts = _rows(unit, MessagePartRow, MessagePartRow.message_id.in_(own))
    current = {row["message_id"] for row in _rows(unit, MessageAddressRow, MessageAddressRow.message_id.in_(own))}
    of_message: dict[int, list[JsonObject]] = {}
    for part in parts:
        of_message.setdefault(part.pop("message_id"), []).append(part)
    return [
        {**message, "edited_since": message["id"] not in current, "parts": of_message.get(message["id"], [])}
        for message in messages
    ]


def _ids(unit: UnitOfWork, table: type[RunRow | TrialRow], condition: ColumnElement[bool]) -> list[int]:
    return list(unit.scalars(select(table.id).where(condition).order_by(table.id)))


def _rows(unit: UnitOfWork, table: type[Base], condition: ColumnElement[bool]) -> list[JsonObject]:
    """Return the matching rows in primary-key order, without hashes."""
    columns = [column for column in table.__table__.columns if not _is_hash(column.type)]
    rows = unit.execute(select(*columns).where(condition).order_by(*table.__table__.primary_key))
    return [
        {column.name: _value(unit, column.type, value) for column, value in zip(columns, row, strict=True)}
        for row in rows
    ]


def _is_hash(kind: object) -> bool:
    return isinstance(kind, LargeBinary) and not isinstance(kind, EncryptedString)


def _value(unit: UnitOfWork, kind: object, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if value is None:
        return None
    if isinstance(kind, EncryptedString):
        return unit.cipher.decrypt(value)
    return value.isoformat() if isinstance(value, datetime) else value
