"""The durable inbox: an update is kept here before Telegram is told that it arrived."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow
from storage.errors import UpdateHandled

# After so many failures an update is set aside, or one bad update would be tried at every start for ever.
MAX_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """An update that waits; ``attempts`` is how often its handling failed."""

    bot_id: int
    update_id: int
    payload: str
    attempts: int


def receive(unit: UnitOfWork, bot_id: int, update_id: int, telegram_id: int | None, payload: str) -> bool:
    """Keep an update; False when it is a second copy, which is dropped.

    ``telegram_id`` is the sender's, so that ``erase`` finds the update; ``payload`` is its JSON.
    """
    values = {"bot_id": bot_id, "update_id": update_id, "telegram_id": telegram_id}
    insert = unit.insert(UpdateRow).values(**values, payload=unit.cipher.encrypt(payload))
    return unit.scalar(insert.on_conflict_do_nothing().returning(UpdateRow.update_id)) is not None


def pending_updates(unit: UnitOfWork, bot_id: int) -> list[StoredUpdate]:
    """List the updates that wait, in the order of their ids."""
    waiting = (
        select(UpdateRow.update_id, UpdateRow.payload, UpdateRow.attempts)
        .where(UpdateRow.bot_id == bot_id, UpdateRow.state == UpdateState.RECEIVED, UpdateRow.payload.is_not(None))
        .order_by(UpdateRow.update_id)
    )
    return [
        StoredUpdate(bot_id, update_id, unit.cipher.decrypt(payload), attempts)
        for update_id, payload, attempts in unit.execute(waiting)
        if payload is not None
    ]


def finish(unit: UnitOfWork, bot_id: int, update_id: int) -> None:
    """Mark an update as handled. Its payload and sender go; its id stays, to drop a second copy.

    Raises UpdateHandled when it does not wait any more, which takes back all that was done for it in this unit of work.
    """
    emptied = {"payload": None, "telegram_id": None, "reason": None}
    handled = {"state": UpdateState.HANDLED, "finished_at": utc_now()}
    waits = UpdateRow.state.in_([UpdateState.RECEIVED, UpdateState.ERASED])
    finished = unit.change(update(UpdateRow).where(_is(bot_id, update_id), waits).values(**handled, **emptied))
    if not finished and unit.get(UpdateRow, (bot_id, update_id)) is not None:
        raise UpdateHandled(update_id=update_id)


def fail(unit: UnitOfWork, bot_id: int, update_id: int, reason: str) -> int | None:
    """Note a failure; how many there have been, None for an update that does not wait (any more).

    The one that makes MAX_ATTEMPTS sets the update aside. The payload of an update set aside is kept until ``purge``,
    so that someone can find out what was wrong.
    """
    counted = (
        update(UpdateRow)
        .where(_is(bot_id, update_id), UpdateRow.state == UpdateState.RECEIVED)
        .values(attempts=UpdateRow.attempts + 1, reason=unit.cipher.encrypt(reason))
        .returning(UpdateRow.attempts)
        .execution_options(synchronize_session=False)
    )
    attempts = unit.scalar(counted)
    if attempts is not None and attempts >= MAX_ATTEMPTS:
        failed = {"state": UpdateState.FAILED, "finished_at": utc_now()}
        unit.change(update(UpdateRow).where(_is(bot_id, update_id)).values(failed))
    return attempts


def _is(bot_id: int, update_id: int) -> ColumnElement[bool]:
    return (UpdateRow.bot_id == bot_id) & (UpdateRow.update_id == update_id)
