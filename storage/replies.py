"""The outbox: calls of the Bot API that are owed, and what became of them.

A reply is committed as PENDING with the work that caused it, marked SENDING before the request leaves, and then
SENT, UNCERTAIN when the connection broke after it left, FAILED when Telegram refused it, or PENDING again when it
never left. Marking a reply that was erased meanwhile does nothing.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from storage.columns import utc_now
from storage.database import Unit
from storage.tables import ReplyRow, ReplyState

__all__ = [
    "Reply",
    "ReplyState",
    "enqueue",
    "mark_failed",
    "mark_pending",
    "mark_sent",
    "mark_uncertain",
    "reply_for_prediction",
    "settle_interrupted",
    "take",
    "unsent",
]


@dataclass(frozen=True, slots=True)
class Reply:
    """One call: ``method`` of the Bot API with ``payload`` as its parameters.

    ``telegram_message_id`` is the message in the chat that the call made or changed, None while unknown.
    """

    id: int
    bot_id: int
    chat_id: int
    method: str
    payload: dict[str, Any]
    prediction_id: int | None
    state: ReplyState
    telegram_message_id: int | None


def enqueue(  # noqa: PLR0913, PLR0917 - one argument a fact
    unit: Unit,
    bot_id: int,
    person_id: int | None,
    chat_id: int,
    method: str,
    payload: dict[str, Any],
    prediction_id: int | None = None,
) -> int:
    """Owe a call and give its id. ``prediction_id`` is the prediction that the message will show."""
    row = ReplyRow(
        bot_id=bot_id,
        person_id=person_id,
        chat_id=chat_id,
        method=method,
        payload=unit.cipher.encrypt(json.dumps(payload)),
        prediction_id=prediction_id,
    )
    unit.add(row)
    unit.flush()
    return row.id


def unsent(unit: Unit, bot_id: int) -> list[Reply]:
    """List the replies that wait, oldest first."""
    waiting = select(ReplyRow).where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.PENDING)
    return [_reply(unit, row) for row in unit.scalars(waiting.order_by(ReplyRow.id))]


def reply_for_prediction(unit: Unit, prediction_id: int) -> Reply | None:
    """Find the reply that last showed this prediction in the chat, None while none is known to have arrived."""
    row = unit.scalar(
        select(ReplyRow)
        .where(ReplyRow.prediction_id == prediction_id, ReplyRow.telegram_message_id.is_not(None))
        .order_by(ReplyRow.id.desc())
        .limit(1)
    )
    return _reply(unit, row) if row else None


def take(unit: Unit, reply_id: int) -> Reply | None:
    """Take a pending reply to send it: SENDING from here on; None when it is gone or another took it.

    Commit this before the request leaves.
    """
    taken = (
        update(ReplyRow)
        .where(ReplyRow.id == reply_id, ReplyRow.state == ReplyState.PENDING)
        .values(state=ReplyState.SENDING, changed_at=utc_now())
    )
    return _reply(unit, unit.get_one(ReplyRow, reply_id)) if unit.change(taken) else None


def mark_sent(unit: Unit, reply_id: int, telegram_message_id: int | None) -> None:
    """Note that Telegram did it, and the message that it made or changed, None when there is none."""
    _mark(unit, reply_id, ReplyState.SENT, telegram_message_id=telegram_message_id)


def mark_pending(unit: Unit, reply_id: int) -> None:
    """Owe the reply again: the request never left, or Telegram asked to wait."""
    _mark(unit, reply_id, ReplyState.PENDING)


def mark_uncertain(unit: Unit, reply_id: int, reason: str) -> None:
    """Note that the connection broke after the request left; sending again could double the reply."""
    _mark(unit, reply_id, ReplyState.UNCERTAIN, reason=unit.cipher.encrypt(reason))


def mark_failed(unit: Unit, reply_id: int, reason: str) -> None:
    """Note that Telegram refused the call and would refuse it again."""
    _mark(unit, reply_id, ReplyState.FAILED, reason=unit.cipher.encrypt(reason))


def settle_interrupted(unit: Unit, bot_id: int) -> int:
    """At start: what a dead process left SENDING becomes UNCERTAIN, never sent twice. How many there were."""
    reason = unit.cipher.encrypt("the process ended while the request was on its way")
    return unit.change(
        update(ReplyRow)
        .where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.SENDING)
        .values(state=ReplyState.UNCERTAIN, reason=reason, changed_at=utc_now())
    )


def _mark(unit: Unit, reply_id: int, state: ReplyState, **facts: int | bytes | None) -> None:
    unit.change(update(ReplyRow).where(ReplyRow.id == reply_id).values(state=state, changed_at=utc_now(), **facts))


def _reply(unit: Unit, row: ReplyRow) -> Reply:
    return Reply(
        id=row.id,
        bot_id=row.bot_id,
        chat_id=row.chat_id,
        method=row.method,
        payload=json.loads(unit.cipher.decrypt(row.payload)),
        prediction_id=row.prediction_id,
        state=row.state,
        telegram_message_id=row.telegram_message_id,
    )
