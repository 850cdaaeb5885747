"""The durable inbox, which stores each update before the bot acknowledges it to Telegram."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.sql import ColumnElement

from storage.chat.blocks import is_blocked
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow
from storage.errors import UpdateHandled

# Maximum number of failures before an update is set aside. Without a limit, a bad update would be retried at every
# start.
MAX_ATTEMPTS: Final = 3
# Maximum number of ids in one query, because both engines limit the number of parameters.
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """A pending update. ``attempts`` is the number of failed attempts to handle it."""

    bot_id: int
    update_id: int
    payload: str
    attempts: int


def receive(  # noqa: PLR0913 - each argument is a separate fact
    unit: UnitOfWork, bot_id: int, update_id: int, telegram_id: int | None, payload: str, *, from_anyone: bool = False
) -> bool:
    """Store an update, or return False if it is a duplicate or from a blocked person.

    ``telegram_id`` is the sender's id, which ``erase`` uses to find the update. ``payload`` is the update as JSON. With
    ``from_anyone``, the update is stored even if the sender is blocked.
    """
    if telegram_id is not None and not from_anyone and is_blocked(unit, telegram_id):
        return False
    values = {"bot_id": bot_id, "update_id": update_id, "telegram_id": telegram_id}
    insert = unit.insert(UpdateRow).values(**values, payload=unit.cipher.encrypt(payload))
    return unit.scalar(insert.on_conflict_do_nothing().returning(UpdateRow.update_id)) is not None


def pending_updates(unit: UnitOfWork, bot_id: int, skipped: Collection[int] = ()) -> list[StoredUpdate]:
    """Return the pending updates except the ``skipped`` ones, ordered by id.

    Only the returned updates are read and decrypted. Skipping updates that are already being handled is therefore
    cheap, even in a long queue.
    """
    pending = (
        select(UpdateRow.update_id)
        .where(UpdateRow.bot_id == bot_id, UpdateRow.state == UpdateState.RECEIVED, UpdateRow.payload.is_not(None))
        .order_by(UpdateRow.update_id)
    )
    wanted = [update_id for update_id in unit.scalars(pending) if update_id not in skipped]
    chunks = (wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK))
    return [stored for chunk in chunks for stored in _stored_updates(unit, bot_id, chunk)]


def _stored_updates(unit: UnitOfWork, bot_id: int, update_ids: Sequence[int]) -> list[StoredUpdate]:
    rows = (
        select(UpdateRow.update_id, UpdateRow.payload, UpdateRow.attempts)
        .where(UpdateRow.bot_id == bot_id, UpdateRow.update_id.in_(update_ids))
        .order_by(UpdateRow.update_id)
    )
    return [
        StoredUpdate(bot_id, update_id, unit.cipher.decrypt(payload), attempts)
        for update_id, payload, attempts in unit.execute(rows)
        if payload is not None
    ]


def finish(unit: UnitOfWork, bot_id: int, update_id: int) -> None:
    """Mark an update as handled, and clear its payload and sender.

    The id is kept so that duplicates are dropped. Raise UpdateHandled if the update is no longer pending. The error
    rolls back the unit of work, and with it everything that was done for the update.
    """
    cleared = {"payload": None, "telegram_id": None, "reason": None}
    handled = {"state": UpdateState.HANDLED, "finished_at": utc_now()}
    unfinished = UpdateRow.state.in_([UpdateState.RECEIVED, UpdateState.ERASED])
    finished = unit.change(update(UpdateRow).where(_by_id(bot_id, update_id), unfinished).values(**handled, **cleared))
    if not finished and unit.get(UpdateRow, (bot_id, update_id)) is not None:
        raise UpdateHandled(update_id=update_id)


def fail(unit: UnitOfWork, bot_id: int, update_id: int, reason: str) -> int | None:
    """Record a failure, and return the number of failures so far, or None if the update is not pending.

    After MAX_ATTEMPTS failures, the update is set aside. The update's payload is kept until ``purge`` runs, so that the
    failure can be investigated.
    """
    counted = (
        update(UpdateRow)
        .where(_by_id(bot_id, update_id), UpdateRow.state == UpdateState.RECEIVED)
        .values(attempts=UpdateRow.attempts + 1, reason=unit.cipher.encrypt(reason))
        .returning(UpdateRow.attempts)
        .execution_options(synchronize_session=False)
    )
    attempts = unit.scalar(counted)
    if attempts is not None and attempts >= MAX_ATTEMPTS:
        failed = {"state": UpdateState.FAILED, "finished_at": utc_now()}
        unit.change(update(UpdateRow).where(_by_id(bot_id, update_id)).values(failed))
    return attempts


def _by_id(bot_id: int, update_id: int) -> ColumnElement[bool]:
    return (UpdateRow.bot_id == bot_id) & (UpdateRow.update_id == update_id)
