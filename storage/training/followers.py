"""Chats that follow a training run, each in one message that changes as the run goes on.

``reply_id`` is the newest reply that makes or changes that message, so its outcome says whether another change may
follow, and which message it is for.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.sql import ColumnElement

from storage.db.database import UnitOfWork
from storage.db.states import RunState
from storage.db.tables import FollowerRow, PersonRow, RunRow

_NEWS = (RunState.PROMOTED, RunState.HELD, RunState.REJECTED, RunState.FAILED)


@dataclass(frozen=True, slots=True)
class Follower:
    """One chat that follows a run; see ``FollowerRow``. ``shown`` is opaque here: whoever shows it compares it."""

    run_id: int
    bot_id: int
    chat_id: int
    reply_id: int
    language: str | None
    shown: str | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """An admin whom this bot knows, and who was not told of a run."""

    chat_id: int
    language: str | None


def follow(unit: UnitOfWork, follower: Follower) -> None:
    """Let the chat follow the run by this message, instead of by an earlier one."""
    values = {name: getattr(follower, name) for name in Follower.__slots__} | {"done": False}
    moved = {name: values[name] for name in ("reply_id", "language", "shown", "done")}
    keys = [FollowerRow.run_id, FollowerRow.bot_id, FollowerRow.chat_id]
    unit.execute(unit.insert(FollowerRow).values(**values).on_conflict_do_update(index_elements=keys, set_=moved))


def mark_notified(unit: UnitOfWork, run_id: int, bot_id: int, chat_id: int) -> bool:
    """Note that the chat hears of a run that has ended; False when it follows it, or heard of it already."""
    values = {"run_id": run_id, "bot_id": bot_id, "chat_id": chat_id, "reply_id": 0, "done": True}
    new = unit.insert(FollowerRow).values(**values).on_conflict_do_nothing().returning(FollowerRow.run_id)
    return unit.scalar(new) is not None


def find_follower(unit: UnitOfWork, run_id: int, bot_id: int, chat_id: int) -> Follower | None:
    """The chat as it follows the run, be it to its end; None when it does not."""
    row = unit.scalar(select(FollowerRow).where(_key(run_id, bot_id, chat_id)))
    return _follower(row) if row else None


def notified_chats(unit: UnitOfWork, bot_id: int) -> list[int]:
    """Every chat that this bot ever showed a run to, or told of one: of who is an admin, or was."""
    heard = select(FollowerRow.chat_id).where(FollowerRow.bot_id == bot_id).distinct()
    return list(unit.scalars(heard.order_by(FollowerRow.chat_id)))


def active_followers(unit: UnitOfWork, bot_id: int) -> list[Follower]:
    """Every chat of a bot whose message may still have to change."""
    rows = unit.scalars(select(FollowerRow).where(FollowerRow.bot_id == bot_id, ~FollowerRow.done))
    return [_follower(row) for row in rows]


def claim_edit(unit: UnitOfWork, follower: Follower, shown: str | None) -> bool:
    """Note what the message is to show; False when another process did so since ``follower`` was read."""
    before = FollowerRow.shown.is_(None) if follower.shown is None else FollowerRow.shown == follower.shown
    same = and_(_key(follower.run_id, follower.bot_id, follower.chat_id), FollowerRow.reply_id == follower.reply_id)
    return bool(unit.change(update(FollowerRow).where(same, before, ~FollowerRow.done).values(shown=shown)))


def set_reply(unit: UnitOfWork, follower: Follower, reply_id: int) -> None:
    """Note the newest reply that changes the message."""
    key = _key(follower.run_id, follower.bot_id, follower.chat_id)
    unit.change(update(FollowerRow).where(key).values(reply_id=reply_id))


def set_shown(unit: UnitOfWork, follower: Follower) -> None:
    """Note the reply and what it shows, as ``follower`` has them; one who follows no further still does not."""
    key = _key(follower.run_id, follower.bot_id, follower.chat_id)
    unit.change(update(FollowerRow).where(key).values(reply_id=follower.reply_id, shown=follower.shown))


def stop_following(unit: UnitOfWork, follower: Follower) -> bool:
    """Follow no further; False when that was so already, which another process may have seen to."""
    key = _key(follower.run_id, follower.bot_id, follower.chat_id)
    return bool(unit.change(update(FollowerRow).where(key, ~FollowerRow.done).values(done=True)))


def unnotified_admins(
    unit: UnitOfWork, bot_id: int, admin_ids: frozenset[int], since: datetime
) -> tuple[int, list[Recipient]] | None:
    """The newest run if it came to an end after ``since``, and the admins who neither follow it nor heard of it.

    A cancelled run is no news. Only admins who wrote to a bot are named: Telegram lets a bot write to nobody else.
    """
    columns = (RunRow.id, RunRow.state, RunRow.finished_at)
    newest = unit.execute(select(*columns).order_by(RunRow.id.desc()).limit(1)).first()
    if newest is None or newest.state not in _NEWS or newest.finished_at < since:
        return None
    told = select(FollowerRow.chat_id).where(FollowerRow.run_id == newest.id, FollowerRow.bot_id == bot_id)
    left = select(PersonRow.telegram_id, PersonRow.language).where(
        PersonRow.telegram_id.in_(admin_ids), PersonRow.telegram_id.not_in(told)
    )
    return newest.id, [Recipient(row.telegram_id, row.language) for row in unit.execute(left)]


def _key(run_id: int, bot_id: int, chat_id: int) -> ColumnElement[bool]:
    return and_(FollowerRow.run_id == run_id, FollowerRow.bot_id == bot_id, FollowerRow.chat_id == chat_id)


def _follower(row: FollowerRow) -> Follower:
    return Follower(**{name: getattr(row, name) for name in Follower.__slots__})
