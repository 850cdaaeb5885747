"""People whom admins have blocked. The bot handles and answers only their requests about their own data."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import BlockedPersonRow, UpdateRow


def block(unit: UnitOfWork, telegram_id: int) -> bool:
    """Block the person with this Telegram id, and drop their pending updates.

    Return False if the person was already blocked.
    """
    new = unit.insert(BlockedPersonRow).values(person_hash=_person_hash(unit, telegram_id)).on_conflict_do_nothing()
    is_new = unit.scalar(new.returning(BlockedPersonRow.person_hash)) is not None
    pending = (UpdateRow.telegram_id == telegram_id) & (UpdateRow.state == UpdateState.RECEIVED)
    cleared = {"payload": None, "telegram_id": None, "reason": None}
    unit.change(update(UpdateRow).where(pending).values(state=UpdateState.HANDLED, finished_at=utc_now(), **cleared))
    return is_new


def unblock(unit: UnitOfWork, telegram_id: int) -> bool:
    """Lift a block. Return False if the person was not blocked."""
    return bool(unit.change(delete(BlockedPersonRow).where(_is_person(unit, telegram_id))))


def is_blocked(unit: UnitOfWork, telegram_id: int) -> bool:
    """Return whether the person with this Telegram id is blocked."""
    return blocked_at(unit, telegram_id) is not None


def blocked_at(unit: UnitOfWork, telegram_id: int) -> datetime | None:
    """Return when the person with this Telegram id was blocked, or None if they are not blocked."""
    return unit.scalar(select(BlockedPersonRow.blocked_at).where(_is_person(unit, telegram_id)))


def _is_person(unit: UnitOfWork, telegram_id: int) -> ColumnElement[bool]:
    return BlockedPersonRow.person_hash == _person_hash(unit, telegram_id)


def _person_hash(unit: UnitOfWork, telegram_id: int) -> bytes:
    return unit.cipher.fingerprint(f"person {telegram_id}")
