"""Deletes a single message and everything that refers to it, just as ``erase`` deletes all of a person's messages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import (
    MessageAddressRow,
    MessagePartRow,
    MessageRow,
    PersonRow,
    PredictionRow,
    ReplyRow,
    SnapshotRow,
    UpdateRow,
    VoteRow,
)
from storage.errors import UnknownMessage
from storage.privacy.planted_words import remove_planted_words


@dataclass(frozen=True, slots=True)
class ErasedMessage:
    """How many votes were deleted with a message: the author's own, and other people's."""

    own_votes: int
    other_votes: int


def revisions_of(unit: UnitOfWork, message_id: int) -> list[int]:
    """Return the message's id and the ids of its earlier versions, newest first."""
    ids = [message_id]
    while (earlier := unit.scalar(select(MessageRow.revises).where(MessageRow.id == ids[-1]))) is not None:
        ids.append(earlier)
    return ids


def erase_message(unit: UnitOfWork, message_id: int) -> ErasedMessage:
    """Delete all versions of a message, with its predictions, votes, offers and replies.

    Clear the stored updates that contain it. Raise UnknownMessage if it does not exist.
    """
    message = unit.get(MessageRow, message_id)
    if message is None:
        raise UnknownMessage(message_id=message_id)
    unit.erase_traces()
    ids, author = revisions_of(unit, message_id), message.person_id
    predictions = select(PredictionRow.id).where(PredictionRow.message_id.in_(ids))
    votes = select(func.count()).where(VoteRow.prediction_id.in_(predictions))
    erased = ErasedMessage(
        own_votes=unit.scalars(votes.where(VoteRow.person_id == author)).one(),
        other_votes=unit.scalars(votes.where(VoteRow.person_id != author)).one(),
    )
    telegram_ids = list(
        unit.scalars(select(MessagePartRow.telegram_message_id).where(MessagePartRow.message_id.in_(ids)))
    )
    remove_planted_words(unit, select(SnapshotRow.run_id).where(SnapshotRow.message_id.in_(ids)))
    in_chat = (ReplyRow.bot_id == message.bot_id) & (ReplyRow.chat_id == message.chat_id)
    unit.change(delete(ReplyRow).where(in_chat, ReplyRow.answers.in_(telegram_ids)))
    _clear_updates(unit, message, telegram_ids)
    # The database deletes everything that refers to the messages.
    unit.change(delete(MessageRow).where(MessageRow.id.in_(ids)))
    return erased


def erase_by_address(unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> bool:
    """Delete the stored message for this Telegram message, and return whether there was one."""
    address = unit.get(MessageAddressRow, (bot_id, chat_id, telegram_message_id))
    if address is None:
        return False
    erase_message(unit, address.message_id)
    return True


def _clear_updates(unit: UnitOfWork, message: MessageRow, telegram_ids: Sequence[int]) -> None:
    """Clear the author's stored updates that contain the message, as ``erase`` does for all of their updates."""
    sender = select(PersonRow.telegram_id).where(PersonRow.id == message.person_id).scalar_subquery()
    stored = select(UpdateRow).where(
        UpdateRow.bot_id == message.bot_id, UpdateRow.telegram_id == sender, UpdateRow.payload.is_not(None)
    )
    for row in unit.scalars(stored):
        if row.payload is None or _message_in(unit.cipher.decrypt(row.payload)) not in telegram_ids:
            continue
        by_id = (UpdateRow.bot_id == row.bot_id) & (UpdateRow.update_id == row.update_id)
        received = UpdateRow.state == UpdateState.RECEIVED
        erased = {"state": UpdateState.ERASED, "finished_at": utc_now()}
        unit.change(update(UpdateRow).where(by_id, received).values(erased))
        unit.change(update(UpdateRow).where(by_id).values(telegram_id=None, payload=None, reason=None))


def _message_in(payload: str) -> object:
    """Return the id of the person's new or edited message in an update, or None if there is none."""
    try:
        event = json.loads(payload)
        message = event.get("message") or event.get("edited_message")
        return message.get("message_id")
    except (ValueError, AttributeError):
        return None
