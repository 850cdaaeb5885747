"""The outbox: messages that are owed, new ones and changes of earlier ones, and what became of them.

A reply is committed as PENDING with the work that caused it, taken (SENDING) before the request leaves, and then SENT,
UNCERTAIN when the connection broke after it left, FAILED when Telegram refused it, or PENDING again when it did not
arrive. Marking a reply that was erased meanwhile does nothing.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import aliased

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.db.tables import MessageRow, PersonRow, PredictionRow, ReplyRow


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to owe: ``payload`` is what it shows (text, parse_mode, reply_markup), as JSON.

    It answers the person's message ``answers``. With ``changes`` it takes the place of the bot's message of that id;
    with ``revises``, of the message that this earlier reply will have made by then, or is a new one if there is none.
    ``prediction_id`` is the prediction that it shows.
    """

    bot_id: int
    chat_id: int
    payload: dict[str, Any]
    person_id: int | None = None
    prediction_id: int | None = None
    answers: int | None = None
    edits: int | None = None
    revises: int | None = None


@dataclass(frozen=True, slots=True)
class ReplyStatus:
    """What became of a reply so far, and when; ``telegram_message_id`` is the message that it made or changes."""

    state: ReplyState
    changed_at: datetime
    telegram_message_id: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """A taken reply. It changes the message ``telegram_message_id``, or is a new one where that is None."""

    id: int
    bot_id: int
    chat_id: int
    payload: dict[str, Any]
    answers: int | None
    telegram_message_id: int | None


@dataclass(frozen=True, slots=True)
class BotMessage:
    """A message of the bot in a chat, and the language of the person there."""

    bot_id: int
    chat_id: int
    telegram_message_id: int
    language: str | None


def enqueue(unit: UnitOfWork, draft: Draft) -> int:
    """Owe a message and give its reply's id."""
    row = ReplyRow(
        bot_id=draft.bot_id,
        person_id=draft.person_id,
        chat_id=draft.chat_id,
        payload=unit.cipher.encrypt(json.dumps(draft.payload)),
        prediction_id=draft.prediction_id,
        answers=draft.answers,
        revises=draft.revises,
        telegram_message_id=draft.edits,
    )
    unit.add(row)
    unit.flush()
    return row.id


def reply_status(unit: UnitOfWork, reply_id: int) -> ReplyStatus | None:
    """What became of a reply; None for one that was erased, or purged after it was sent."""
    row = unit.get(ReplyRow, reply_id)
    return None if row is None else ReplyStatus(row.state, row.changed_at, row.telegram_message_id)


def pending_chats(unit: UnitOfWork, bot_id: int) -> list[int]:
    """List the chats that a reply waits for."""
    waiting = select(ReplyRow.chat_id).where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.PENDING)
    return list(unit.scalars(waiting.distinct()))


def is_pending(unit: UnitOfWork, bot_id: int, chat_id: int) -> bool:
    """Whether a reply waits for this chat."""
    waiting = select(ReplyRow.id).where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.PENDING)
    return unit.scalar(waiting.where(ReplyRow.chat_id == chat_id).limit(1)) is not None


def answer_to(unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> int | None:
    """Find the reply whose message answers the person's message with this id, None when there is none.

    It may still be on its way; one that Telegram refused does not count.
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


def messages_in_other_chats(unit: UnitOfWork, telegram_id: int) -> list[BotMessage]:
    """The messages in other people's chats that show a text of the person with this Telegram id now."""
    person = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    theirs = (
        select(PredictionRow.id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(MessageRow.person_id == person)
    )
    later = aliased(ReplyRow)
    shows_another = (
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
            ReplyRow.prediction_id.in_(theirs),
            ReplyRow.chat_id != telegram_id,
            ~shows_another,
        )
        .order_by(ReplyRow.id)
    )
    return [
        BotMessage(bot_id, chat_id, message_id, language)
        for bot_id, chat_id, message_id, language in unit.execute(shown)
        if message_id is not None
    ]


def claim_next(unit: UnitOfWork, bot_id: int, chat_id: int) -> Reply | None:
    """Take the oldest reply that waits for a chat: SENDING from here on; None when none waits or another took it.

    Commit this before the request leaves. By now it is settled what became of the reply that it revises.
    """
    oldest = (
        select(ReplyRow)
        .where(ReplyRow.bot_id == bot_id, ReplyRow.chat_id == chat_id, ReplyRow.state == ReplyState.PENDING)
        .order_by(ReplyRow.id)
        .limit(1)
    )
    row = unit.scalar(oldest)
    if row is None:
        return None
    target = row.telegram_message_id or _message_of(unit, row.revises)
    taken = (
        update(ReplyRow)
        .where(ReplyRow.id == row.id, ReplyRow.state == ReplyState.PENDING)
        .values(state=ReplyState.SENDING, changed_at=utc_now(), telegram_message_id=target)
    )
    if not unit.change(taken):
        return None
    payload = json.loads(unit.cipher.decrypt(row.payload))
    return Reply(row.id, bot_id, chat_id, payload, row.answers, target)


def mark_sent(unit: UnitOfWork, reply_id: int, telegram_message_id: int) -> None:
    """Note that Telegram did it, and the message that it made or changed."""
    _mark(unit, reply_id, ReplyState.SENT, telegram_message_id=telegram_message_id)


def mark_pending(unit: UnitOfWork, reply_id: int) -> None:
    """Owe the reply again: it did not arrive, or arriving twice changes nothing."""
    _mark(unit, reply_id, ReplyState.PENDING)


def mark_as_new(unit: UnitOfWork, reply_id: int) -> None:
    """Owe the reply as a message of its own: the one that it was to change is gone."""
    _mark(unit, reply_id, ReplyState.PENDING, telegram_message_id=None, revises=None)


def mark_uncertain(unit: UnitOfWork, reply_id: int, reason: str) -> None:
    """Note that the connection broke after the request left; sending again could double the reply."""
    _mark(unit, reply_id, ReplyState.UNCERTAIN, reason=unit.cipher.encrypt(reason))


def mark_failed(unit: UnitOfWork, reply_id: int, reason: str) -> None:
    """Note that Telegram refused the reply and would refuse it again."""
    _mark(unit, reply_id, ReplyState.FAILED, reason=unit.cipher.encrypt(reason))


def requeue_interrupted(unit: UnitOfWork, bot_id: int) -> int:
    """At start, settle what a dead process left SENDING; how many new messages may or may not have arrived.

    Those become UNCERTAIN and are not sent again. Changes of a message are owed again: making one twice is harmless.
    """
    left = update(ReplyRow).where(ReplyRow.bot_id == bot_id, ReplyRow.state == ReplyState.SENDING)
    now = {"changed_at": utc_now()}
    reason = unit.cipher.encrypt("the process ended while the request was on its way")
    unit.change(left.where(ReplyRow.telegram_message_id.is_not(None)).values(state=ReplyState.PENDING, **now))
    return unit.change(left.values(state=ReplyState.UNCERTAIN, reason=reason, **now))


def _message_of(unit: UnitOfWork, reply_id: int | None) -> int | None:
    """The message that a reply made, or that a later one made in its place."""
    if reply_id is None:
        return None
    later = aliased(ReplyRow)
    made = (
        select(later.telegram_message_id)
        .where(or_(later.id == reply_id, later.revises == reply_id), later.telegram_message_id.is_not(None))
        .order_by(later.id.desc())
        .limit(1)
    )
    return unit.scalar(made)


def _mark(unit: UnitOfWork, reply_id: int, state: ReplyState, **facts: int | bytes | None) -> None:
    unit.change(update(ReplyRow).where(ReplyRow.id == reply_id).values(state=state, changed_at=utc_now(), **facts))
