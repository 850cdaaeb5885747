"""Lets operators list, count, retry and drop replies that did not arrive or may not have arrived."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from storage.chat.outbox import mark_failed, mark_pending
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow
from storage.errors import ReplyReplaced, ReplySettled, UnknownReply

UNDELIVERED: Final = (ReplyState.PENDING, ReplyState.SENDING, ReplyState.UNCERTAIN, ReplyState.FAILED)
_RETRIABLE: Final = (ReplyState.UNCERTAIN, ReplyState.FAILED)
_DROPPABLE: Final = (ReplyState.PENDING, ReplyState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class UndeliveredReply:
    """A reply without its content. ``edits`` is the id of the message to edit, or None for a new message."""

    id: int
    bot_id: int
    chat_id: int
    state: ReplyState
    changed_at: datetime
    edits: int | None
    update_id: int | None
    reason: str | None


def list_undelivered(unit: UnitOfWork, states: Collection[ReplyState] = UNDELIVERED) -> list[UndeliveredReply]:
    """Return the replies in these states, oldest first."""
    rows = unit.scalars(select(ReplyRow).where(ReplyRow.state.in_(states)).order_by(ReplyRow.id))
    return [
        UndeliveredReply(
            row.id,
            row.bot_id,
            row.chat_id,
            row.state,
            row.changed_at,
            row.telegram_message_id,
            row.update_id,
            None if row.reason is None else unit.cipher.decrypt(row.reason),
        )
        for row in rows
    ]


def count_uncertain(unit: UnitOfWork, bot_id: int) -> tuple[int, datetime | None]:
    """Return how many of a bot's replies are uncertain, and when the latest became so (None if there are none)."""
    uncertain = (ReplyRow.bot_id == bot_id) & (ReplyRow.state == ReplyState.UNCERTAIN)
    count, newest = unit.execute(select(func.count(), func.max(ReplyRow.changed_at)).where(uncertain)).one()
    return count, newest


def retry(unit: UnitOfWork, reply_id: int) -> None:
    """Enqueue an uncertain or failed reply again. An uncertain reply may arrive twice.

    Raise UnknownReply if the reply does not exist, ReplySettled if it is in a different state, and ReplyReplaced if a
    newer reply replaced it.
    """
    row = _find(unit, reply_id, _RETRIABLE, "retried")
    newer = unit.scalar(select(func.max(ReplyRow.id)).where(ReplyRow.revises == reply_id, _not_failed(ReplyRow)))
    if newer is not None:
        raise ReplyReplaced(reply_id=reply_id, newer_id=newer)
    mark_pending(unit, row.id)


def drop(unit: UnitOfWork, reply_id: int, reason: str) -> None:
    """Mark a pending or uncertain reply as failed, so that it is not sent. Raise UnknownReply or ReplySettled."""
    mark_failed(unit, _find(unit, reply_id, _DROPPABLE, "dropped").id, reason)


def retry_uncertain(unit: UnitOfWork, bot_id: int) -> int:
    """Enqueue a bot's uncertain replies again unless a newer reply replaced them, and return how many were enqueued."""
    newer = aliased(ReplyRow)
    replaced = select(newer.id).where(newer.revises == ReplyRow.id, _not_failed(newer)).correlate(ReplyRow).exists()
    uncertain = (ReplyRow.bot_id == bot_id) & (ReplyRow.state == ReplyState.UNCERTAIN)
    pending = {"state": ReplyState.PENDING, "changed_at": utc_now()}
    return unit.change(update(ReplyRow).where(uncertain, ~replaced).values(**pending))


def _find(unit: UnitOfWork, reply_id: int, states: Collection[ReplyState], change: str) -> ReplyRow:
    row = unit.get(ReplyRow, reply_id, with_for_update=True)
    if row is None:
        raise UnknownReply(reply_id=reply_id)
    if row.state not in states:
        allowed = " and ".join(states)
        raise ReplySettled(reply_id=reply_id, state=row.state, allowed=allowed, change=change)
    return row


def _not_failed(table: type[ReplyRow]) -> ColumnElement[bool]:
    return table.state != ReplyState.FAILED
