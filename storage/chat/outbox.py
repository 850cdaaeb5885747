"""The durable outbox, which stores new messages and edits to send, and their status.

A reply is committed as PENDING together with the work that caused it, and is claimed (SENDING) before the request is
sent. The reply then becomes SENT, UNCERTAIN if the connection broke after the request was sent, FAILED if Telegram
rejected it, or PENDING again if it did not arrive. Marking a reply that has been erased has no effect.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import aliased

from storage.chat.blocks import blocked_at
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.db.tables import MessageRow, PersonRow, PredictionRow, ReplyRow


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to enqueue, with its content (text, parse_mode and reply_markup) in ``payload``.

    ``answers`` is the id of the user's message to reply to. ``edits`` is the id of the bot's own message to edit.
    ``revises`` is the id of an earlier reply: the draft edits the message that this reply sent, or becomes a new
    message if it sent none. ``prediction_id`` is the prediction that the message shows, and ``update_id`` is the update
    that caused the message. All of these are None if they don't apply.
    """

    bot_id: int
    chat_id: int
    payload: dict[str, Any]
    person_id: int | None = None
    prediction_id: int | None = None
    answers: int | None = None
    edits: int | None = None
    revises: int | None = None
    update_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReplyStatus:
    """A reply's state, and when it changed. ``telegram_message_id`` is the message that it sent or will edit."""

    state: ReplyState
    changed_at: datetime
    telegram_message_id: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """A claimed reply: an edit of the message ``telegram_message_id``, or a new message if that is None.

    ``replaces_uncertain`` is True for a new message that replaces an uncertain reply, which may have arrived too.
    """

    id: int
    bot_id: int
    chat_id: int
    payload: dict[str, Any]
    answers: int | None
    telegram_message_id: int | None
    replaces_uncertain: bool = False
    update_id: int | None = None


@dataclass(frozen=True, slots=True)
class BotMessage:
    """A bot's message in a chat, and the language of the person in that chat."""

    bot_id: int
    chat_id: int
    telegram_message_id: int
    language: str | None


def enqueue(unit: UnitOfWork, draft: Draft) -> int:
    """Enqueue a message and return the reply's id."""
    row = ReplyRow(
        bot_id=draft.bot_id,
        person_id=draft.person_id,
        chat_id=draft.chat_id,
        payload=unit.cipher.encrypt(json.dumps(draft.payload)),
        prediction_id=draft.prediction_id,
        answers=draft.answers,
        revises=draft.revises,
        update_id=draft.update_id,
        telegram_message_id=draft.edits,
    )
    unit.add(row)
    unit.flush()
    return row.id


def reply_status(unit: UnitOfWork, reply_id: int) -> ReplyStatus | None:
    """Return the status of a reply, or None if the reply was erased or purged."""
    row = unit.get(ReplyRow, reply_id)
    return None if row is None else ReplyStatus(row.state, row.changed_at, row.telegram_message_id)


def pending_chats(unit: UnitOfWork, bot_id: int) -> list[int]:
    """Return the ids of the chats with a pending reply."""
    pending = select(ReplyRow.chat_id).where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.PENDING)
    return list(unit.scalars(pending.distinct()))


def is_pending(unit: UnitOfWork, bot_id: int, chat_id: int) -> bool:
    """Return whether this chat has a pending reply."""
    pending = select(ReplyRow.id).where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.PENDING)
    return unit.scalar(pending.where(ReplyRow.chat_id == chat_id).limit(1)) is not None


def answer_to(unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> int | None:
    """Return the newest reply to the person's message with this id, or None if it has no reply.

    The reply may not have been sent yet. Replies that Telegram rejected are ignored.
    """
    return unit.scalar(
        select(ReplyRow.id)
        .where(
            ReplyRow.bot_id == bot_id,
            ReplyRow.chat_id == chat_id,
            ReplyRow.answers == telegram_message_id,
            ReplyRow.state != ReplyState.FAILED,
        )
        .order_by(ReplyRow.id.desc())
        .limit(1)
    )


def shown_prediction(unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> int | None:
    """Return the prediction that the bot's message with this id shows, or None if it shows none."""
    return unit.scalar(
        select(ReplyRow.prediction_id)
        .where(
            ReplyRow.bot_id == bot_id,
            ReplyRow.chat_id == chat_id,
            ReplyRow.telegram_message_id == telegram_message_id,
            ReplyRow.state != ReplyState.FAILED,
        )
        .order_by(ReplyRow.id.desc())
        .limit(1)
    )


def messages_in_other_chats(
    unit: UnitOfWork, telegram_id: int, message_ids: Collection[int] | None = None
) -> list[BotMessage]:
    """Return the messages in other people's chats that currently show a text by the person with this Telegram id.

    With ``message_ids``, return only those that show one of these texts.
    """
    person = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    predictions = (
        select(PredictionRow.id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(MessageRow.person_id == person)
    )
    if message_ids is not None:
        predictions = predictions.where(MessageRow.id.in_(message_ids))
    later = aliased(ReplyRow)
    replaced_later = (
        select(later.id)
        .where(
            later.id > ReplyRow.id,
            later.bot_id == ReplyRow.bot_id,
            later.chat_id == ReplyRow.chat_id,
            later.telegram_message_id == ReplyRow.telegram_message_id,
            later.state != ReplyState.FAILED,
        )
        .exists()
    )
    shown = (
        select(ReplyRow.bot_id, ReplyRow.chat_id, ReplyRow.telegram_message_id, PersonRow.language)
        .outerjoin(PersonRow, PersonRow.telegram_id == ReplyRow.chat_id)
        .where(
            ReplyRow.prediction_id.in_(predictions),
            ReplyRow.chat_id != telegram_id,
            ~replaced_later,
        )
        .order_by(ReplyRow.id)
    )
    return [
        BotMessage(bot_id, chat_id, message_id, language)
        for bot_id, chat_id, message_id, language in unit.execute(shown)
        if message_id is not None
    ]


def claim_next(unit: UnitOfWork, bot_id: int, chat_id: int, now: datetime | None = None) -> Reply | None:
    """Claim a chat's oldest pending reply and mark it as SENDING, or return None if there is nothing to claim.

    A blocked person's pending replies become FAILED instead. Only answers to updates that were stored since the block
    are still claimed, because those updates are requests about the person's own data.

    Commit before sending the request, or call ``release_claim`` with the same ``now`` if the commit fails. A chat's
    replies are sent in order, so any reply that this one revises has already been handled.
    """
    oldest = (
        select(ReplyRow)
        .where(ReplyRow.bot_id == bot_id, ReplyRow.chat_id == chat_id, ReplyRow.state == ReplyState.PENDING)
        .order_by(ReplyRow.id)
        .limit(1)
    )
    row = unit.scalar(oldest)
    if row is not None and (since := blocked_at(unit, chat_id)) is not None:
        _drop_unrequested(unit, bot_id, chat_id, since)
        row = unit.scalar(oldest)
    if row is None:
        return None
    target = row.telegram_message_id or _message_of(unit, row.revises)
    claimed = (
        update(ReplyRow)
        .where(ReplyRow.id == row.id, ReplyRow.state == ReplyState.PENDING)
        .values(state=ReplyState.SENDING, changed_at=now or utc_now(), telegram_message_id=target)
    )
    if not unit.change(claimed):
        return None
    payload = json.loads(unit.cipher.decrypt(row.payload))
    replaces_uncertain = target is None and _is_uncertain(unit, row.revises)
    return Reply(row.id, bot_id, chat_id, payload, row.answers, target, replaces_uncertain, row.update_id)


def release_claim(unit: UnitOfWork, bot_id: int, chat_id: int, claimed_at: datetime) -> None:
    """Make a reply pending again if its claim was committed even though the database reported an error.

    The request was never sent. ``claimed_at`` distinguishes this claim from another process's claim.
    """
    claim = (ReplyRow.state == ReplyState.SENDING) & (ReplyRow.changed_at == claimed_at)
    of_chat = update(ReplyRow).where(ReplyRow.bot_id == bot_id, ReplyRow.chat_id == chat_id)
    unit.change(of_chat.where(claim).values(state=ReplyState.PENDING, changed_at=utc_now()))


def mark_sent(unit: UnitOfWork, reply_id: int, telegram_message_id: int) -> None:
    """Record that the reply was sent, and which message it sent or edited."""
    _mark(unit, reply_id, ReplyState.SENT, telegram_message_id=telegram_message_id)


def mark_pending(unit: UnitOfWork, reply_id: int) -> None:
    """Enqueue the reply again, because it did not arrive or because sending it twice does no harm."""
    _mark(unit, reply_id, ReplyState.PENDING)


def mark_as_new(unit: UnitOfWork, reply_id: int) -> None:
    """Enqueue the reply again as a new message, because the message to edit no longer exists."""
    _mark(unit, reply_id, ReplyState.PENDING, telegram_message_id=None, revises=None)


def mark_uncertain(unit: UnitOfWork, reply_id: int, reason: str) -> None:
    """Record that the connection broke after the request was sent, so sending again could duplicate the reply."""
    _mark(unit, reply_id, ReplyState.UNCERTAIN, reason=unit.cipher.encrypt(reason))


def mark_failed(unit: UnitOfWork, reply_id: int, reason: str) -> None:
    """Record that Telegram rejected the reply and would reject it again."""
    _mark(unit, reply_id, ReplyState.FAILED, reason=unit.cipher.encrypt(reason))


def requeue_interrupted(unit: UnitOfWork, bot_id: int) -> int:
    """Handle replies that a dead process left in SENDING, and return how many became UNCERTAIN. Call this at start-up.

    New messages may have arrived, so they become UNCERTAIN and are not sent again. Edits are enqueued again, because
    repeating an edit is harmless.
    """
    interrupted = update(ReplyRow).where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.SENDING)
    now = {"changed_at": utc_now()}
    reason = unit.cipher.encrypt("the process ended while the request was in flight")
    unit.change(interrupted.where(ReplyRow.telegram_message_id.is_not(None)).values(state=ReplyState.PENDING, **now))
    return unit.change(interrupted.values(state=ReplyState.UNCERTAIN, reason=reason, **now))


def _message_of(unit: UnitOfWork, reply_id: int | None) -> int | None:
    """Return the message that a reply sent, or the message that a later reply sent in its place."""
    if reply_id is None:
        return None
    later = aliased(ReplyRow)
    message_id = (
        select(later.telegram_message_id)
        .where(or_(later.id == reply_id, later.revises == reply_id), later.telegram_message_id.is_not(None))
        .order_by(later.id.desc())
        .limit(1)
    )
    return unit.scalar(message_id)


def _drop_unrequested(unit: UnitOfWork, bot_id: int, chat_id: int, blocked_since: datetime) -> None:
    """Mark a blocked person's pending replies as FAILED, except answers to updates that were stored since the block."""
    pending = (ReplyRow.bot_id == bot_id) & (ReplyRow.chat_id == chat_id) & (ReplyRow.state == ReplyState.PENDING)
    unrequested = or_(ReplyRow.update_id.is_(None), ReplyRow.created_at <= blocked_since)
    reason = unit.cipher.encrypt("an admin blocked this person")
    failed = {"state": ReplyState.FAILED, "changed_at": utc_now(), "reason": reason}
    unit.change(update(ReplyRow).where(pending, unrequested).values(**failed))


def _is_uncertain(unit: UnitOfWork, reply_id: int | None) -> bool:
    revised = None if reply_id is None else unit.get(ReplyRow, reply_id)
    return revised is not None and revised.state is ReplyState.UNCERTAIN


def _mark(unit: UnitOfWork, reply_id: int, state: ReplyState, **columns: int | bytes | None) -> None:
    unit.change(update(ReplyRow).where(ReplyRow.id == reply_id).values(state=state, changed_at=utc_now(), **columns))
