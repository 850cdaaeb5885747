"""Lets operators list, show, retry and drop pending and failed updates."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from storage.chat.troubles import TroubleKind, forget_report
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow
from storage.errors import SeveralUpdates, UnknownUpdate, UpdateNotFailed

UNFINISHED: Final = (UpdateState.RECEIVED, UpdateState.FAILED)


@dataclass(frozen=True, slots=True)
class UnfinishedUpdate:
    """An update without its content. ``error`` is only the last error's type, because the message may quote a text."""

    bot_id: int
    update_id: int
    state: UpdateState
    attempts: int
    received_at: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class UpdateContent:
    """An update's content as JSON, and the last error in full."""

    payload: str
    reason: str | None


def list_unfinished(unit: UnitOfWork, states: Collection[UpdateState] = UNFINISHED) -> list[UnfinishedUpdate]:
    """Return the updates in these states that still have their content, ordered by bot and id."""
    chosen = select(UpdateRow).where(UpdateRow.state.in_(states), UpdateRow.payload.is_not(None))
    rows = unit.scalars(chosen.order_by(UpdateRow.bot_id, UpdateRow.update_id))
    return [_unfinished(unit, row) for row in rows]


def show(unit: UnitOfWork, update_id: int, bot_id: int | None = None) -> tuple[UnfinishedUpdate, UpdateContent]:
    """Return an update with its content. Raise UnknownUpdate or SeveralUpdates."""
    row = _find(unit, update_id, bot_id, lock=False)
    return _unfinished(unit, row), UpdateContent(unit.cipher.decrypt(row.payload or b""), _reason(unit, row))


def retry(unit: UnitOfWork, update_id: int, bot_id: int | None = None) -> None:
    """Reset a failed update's attempt count, so that it is handled again.

    Raise UnknownUpdate, SeveralUpdates or UpdateNotFailed. If the update fails again, the admins are notified again.
    """
    row = _find(unit, update_id, bot_id, lock=True)
    if row.state is not UpdateState.FAILED:
        raise UpdateNotFailed(update_id=update_id, state=row.state)
    row.state, row.attempts, row.reason, row.finished_at = UpdateState.RECEIVED, 0, None, None
    forget_report(unit, row.bot_id, TroubleKind.UPDATE_FAILED)


def drop(unit: UnitOfWork, update_id: int, bot_id: int | None = None) -> None:
    """Delete an update's content without handling it, and keep its id. Raise UnknownUpdate or SeveralUpdates.

    The admins are notified when another update fails.
    """
    row = _find(unit, update_id, bot_id, lock=True)
    row.state, row.finished_at = UpdateState.HANDLED, utc_now()
    row.payload, row.telegram_id, row.reason = None, None, None
    forget_report(unit, row.bot_id, TroubleKind.UPDATE_FAILED)


def _find(unit: UnitOfWork, update_id: int, bot_id: int | None, *, lock: bool) -> UpdateRow:
    """Return the only unfinished update with this id."""
    chosen = select(UpdateRow).where(
        UpdateRow.update_id == update_id, UpdateRow.state.in_(UNFINISHED), UpdateRow.payload.is_not(None)
    )
    if bot_id is not None:
        chosen = chosen.where(UpdateRow.bot_id == bot_id)
    rows = unit.scalars(chosen.with_for_update() if lock else chosen).all()
    if not rows:
        raise UnknownUpdate(update_id=update_id)
    if len(rows) > 1:
        raise SeveralUpdates(update_id=update_id, bots=", ".join(str(row.bot_id) for row in rows))
    return rows[0]


def _unfinished(unit: UnitOfWork, row: UpdateRow) -> UnfinishedUpdate:
    reason = _reason(unit, row)
    error = None if reason is None else reason.partition("(")[0]
    return UnfinishedUpdate(row.bot_id, row.update_id, row.state, row.attempts, row.received_at, error)


def _reason(unit: UnitOfWork, row: UpdateRow) -> str | None:
    return None if row.reason is None else unit.cipher.decrypt(row.reason)
