"""Records that an uncertain reply has arrived once someone taps a button under it or replies to it."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from storage.chat.outbox import answer_to
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow


@dataclass(frozen=True, slots=True)
class UncertainReply:
    """A new message that may have arrived, with its content."""

    id: int
    payload: dict[str, Any]


def uncertain_in_chat(unit: UnitOfWork, bot_id: int, chat_id: int) -> list[UncertainReply]:
    """Return the chat's uncertain replies, oldest first."""
    uncertain = (
        select(ReplyRow.id, ReplyRow.payload)
        .where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.UNCERTAIN, ReplyRow.chat_id == chat_id)
        .order_by(ReplyRow.id)
    )
    return [
        UncertainReply(reply_id, json.loads(unit.cipher.decrypt(payload)))
        for reply_id, payload in unit.execute(uncertain)
    ]


def is_known(unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> bool:
    """Return whether a reply is known to have sent or edited this message."""
    known = select(ReplyRow.id).where(
        ReplyRow.bot_id == bot_id, ReplyRow.chat_id == chat_id, ReplyRow.telegram_message_id == telegram_message_id
    )
    return unit.scalar(known.limit(1)) is not None


def mark_arrived(unit: UnitOfWork, reply_id: int, telegram_message_id: int) -> bool:
    """Record that an uncertain reply arrived as this message, and return whether the reply was still uncertain.

    If a later message replaced the reply, enqueue an edit so that this message shows the same content.
    """
    sent = {"state": ReplyState.SENT, "telegram_message_id": telegram_message_id, "changed_at": utc_now()}
    uncertain = (ReplyRow.id == reply_id) & (ReplyRow.state == ReplyState.UNCERTAIN)
    if not unit.change(update(ReplyRow).where(uncertain).values(reason=None, **sent)):
        return False
    newest = _shown_instead(unit, unit.get_one(ReplyRow, reply_id, populate_existing=True))
    if newest is not None:
        edit = ReplyRow(
            bot_id=newest.bot_id,
            person_id=newest.person_id,
            chat_id=newest.chat_id,
            payload=newest.payload,
            prediction_id=newest.prediction_id,
            telegram_message_id=telegram_message_id,
        )
        unit.add(edit)
        unit.flush()
    return True


def _shown_instead(unit: UnitOfWork, arrived: ReplyRow) -> ReplyRow | None:
    """Return the reply with the current content of the message that replaced ``arrived``, if any.

    If the replacement is still pending, it will edit the message that arrived.
    """
    newest_id = None if arrived.answers is None else answer_to(unit, arrived.bot_id, arrived.chat_id, arrived.answers)
    if newest_id is None or newest_id == arrived.id:
        return None
    newest = unit.get_one(ReplyRow, newest_id)
    if newest.state is ReplyState.PENDING or newest.telegram_message_id is None:
        return None if newest.state is ReplyState.PENDING else newest
    later_edits = (
        select(ReplyRow)
        .where(
            ReplyRow.bot_id == newest.bot_id,
            ReplyRow.chat_id == newest.chat_id,
            ReplyRow.telegram_message_id == newest.telegram_message_id,
            ReplyRow.state != ReplyState.FAILED,
        )
        .order_by(ReplyRow.id.desc())
        .limit(1)
    )
    return unit.scalars(later_edits).one()
