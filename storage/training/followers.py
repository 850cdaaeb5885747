"""Chats that follow a training run, each in one message that is edited as the run progresses.

``reply_id`` is the newest reply that sends or edits that message. The status of the newest reply says whether another
edit can follow, and which message to edit.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.sql import ColumnElement

from storage.db.database import UnitOfWork
from storage.db.states import RunState
from storage.db.tables import FollowerRow, PersonRow, RunRow

# Final states that admins are notified of. Admins are not notified of cancelled runs.
_NOTIFIED_STATES = (RunState.PROMOTED, RunState.TRIAL, RunState.HELD, RunState.REJECTED, RunState.FAILED)


@dataclass(frozen=True, slots=True)
class Follower:
    """A chat that follows a run. See ``FollowerRow``. Only the bot interprets ``shown``."""

    run_id: int
    bot_id: int
    chat_id: int
    reply_id: int
    language: str | None
    shown: str | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """An admin who has written to a bot and has not been notified of a run."""

    chat_id: int
    language: str | None


def follow(unit: UnitOfWork, follower: Follower) -> None:
    """Make the chat follow the run in this message instead of an earlier one."""
    values = {name: getattr(follower, name) for name in Follower.__slots__} | {"done": False}
    updated = {name: values[name] for name in ("reply_id", "language", "shown", "done")}
    keys = [FollowerRow.run_id, FollowerRow.bot_id, FollowerRow.chat_id]
    unit.execute(unit.insert(FollowerRow).values(**values).on_conflict_do_update(index_elements=keys, set_=updated))


def mark_notified(unit: UnitOfWork, run_id: int, bot_id: int, chat_id: int) -> bool:
    """Record that the chat has been notified of a finished run.

    Return False if the chat was already notified or follows the run.
    """
    values = {"run_id": run_id, "bot_id": bot_id, "chat_id": chat_id, "reply_id": 0, "done": True}
    new = unit.insert(FollowerRow).values(**values).on_conflict_do_nothing().returning(FollowerRow.run_id)
    return unit.scalar(new) is not None


def find_follower(unit: UnitOfWork, run_id: int, bot_id: int, chat_id: int) -> Follower | None:
    """Return the chat as a follower of the run, even if it has stopped following, or None if it never followed."""
    row = unit.scalar(select(FollowerRow).where(_key(run_id, bot_id, chat_id)))
    return _follower(row) if row else None


def notified_chats(unit: UnitOfWork, bot_id: int) -> list[int]:
    """Return every chat in which this bot showed a run or sent a notification, including chats of former admins."""
    chats = select(FollowerRow.chat_id).where(FollowerRow.bot_id == bot_id).distinct()
    return list(unit.scalars(chats.order_by(FollowerRow.chat_id)))


def active_followers(unit: UnitOfWork, bot_id: int) -> list[Follower]:
    """Return the bot's followers with a message that may still need an edit."""
    rows = unit.scalars(select(FollowerRow).where(FollowerRow.bot_id == bot_id, ~FollowerRow.done))
    return [_follower(row) for row in rows]


def claim_edit(unit: UnitOfWork, follower: Follower, shown: str | None) -> bool:
    """Record the message's next content, or return False if the content has changed since ``follower`` was read."""
    before = FollowerRow.shown.is_(None) if follower.shown is None else FollowerRow.shown == follower.shown
    unchanged = and_(
        _key(follower.run_id, follower.bot_id, follower.chat_id), FollowerRow.reply_id == follower.reply_id
    )
    return bool(unit.change(update(FollowerRow).where(unchanged, before, ~FollowerRow.done).values(shown=shown)))


def set_reply(unit: UnitOfWork, follower: Follower, reply_id: int) -> None:
    """Record the newest reply that edits the message."""
    key = _key(follower.run_id, follower.bot_id, follower.chat_id)
    unit.change(update(FollowerRow).where(key).values(reply_id=reply_id))


def set_shown(unit: UnitOfWork, follower: Follower) -> None:
    """Record the follower's reply and content. A chat that has stopped following does not start again."""
    key = _key(follower.run_id, follower.bot_id, follower.chat_id)
    unit.change(update(FollowerRow).where(key).values(reply_id=follower.reply_id, shown=follower.shown))


def stop_following(unit: UnitOfWork, follower: Follower) -> bool:
    """Stop following the run, or return False if the chat had already stopped, perhaps in another process."""
    key = _key(follower.run_id, follower.bot_id, follower.chat_id)
    return bool(unit.change(update(FollowerRow).where(key, ~FollowerRow.done).values(done=True)))


def unnotified_admins(
    unit: UnitOfWork, bot_id: int, admin_ids: frozenset[int], since: datetime
) -> tuple[int, list[Recipient]] | None:
    """Return the newest run, if it finished after ``since``, and the admins who don't follow it and weren't notified.

    Return None if there is no such run or if it was cancelled. Admins who have never written to a bot are left out,
    because Telegram does not let a bot write to them first.
    """
    columns = (RunRow.id, RunRow.state, RunRow.finished_at)
    newest = unit.execute(select(*columns).order_by(RunRow.id.desc()).limit(1)).first()
    if newest is None or newest.state not in _NOTIFIED_STATES or newest.finished_at < since:
        return None
    notified = select(FollowerRow.chat_id).where(FollowerRow.run_id == newest.id, FollowerRow.bot_id == bot_id)
    unnotified = select(PersonRow.telegram_id, PersonRow.language).where(
        PersonRow.telegram_id.in_(admin_ids), PersonRow.telegram_id.not_in(notified)
    )
    return newest.id, [Recipient(row.telegram_id, row.language) for row in unit.execute(unnotified)]


def _key(run_id: int, bot_id: int, chat_id: int) -> ColumnElement[bool]:
    return and_(FollowerRow.run_id == run_id, FollowerRow.bot_id == bot_id, FollowerRow.chat_id == chat_id)


def _follower(row: FollowerRow) -> Follower:
    return Follower(**{name: getattr(row, name) for name in Follower.__slots__})
