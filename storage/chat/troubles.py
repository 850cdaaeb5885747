"""Records the kinds of trouble that a bot's admins were notified of, so that each is reported only once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select

from storage.db.database import UnitOfWork
from storage.db.tables import ReportedTroubleRow


class TroubleKind(StrEnum):
    """The kinds of trouble that have fixed names."""

    UPDATE_FAILED = "update failed"
    UPDATE_DROPPED = "update dropped"
    WEBHOOK_LOST = "webhook lost"
    DELIVERY_FAILED = "delivery failed"
    REPLIES_UNCERTAIN = "replies uncertain"


def reported(unit: UnitOfWork, bot_id: int, kinds: Collection[str]) -> set[str]:
    """Return those of the given kinds of trouble that the bot's admins were notified of."""
    rows = select(ReportedTroubleRow.kind).where(ReportedTroubleRow.bot_id == bot_id)
    return set(unit.scalars(rows.where(ReportedTroubleRow.kind.in_(kinds))))


def claim_report(unit: UnitOfWork, bot_id: int, kind: str) -> bool:
    """Record that the bot's admins are notified of this kind of trouble.

    Return False if they have already been notified.
    """
    row = unit.insert(ReportedTroubleRow).values(bot_id=bot_id, kind=kind)
    return unit.scalar(row.on_conflict_do_nothing().returning(ReportedTroubleRow.kind)) is not None


def claim_report_after(unit: UnitOfWork, bot_id: int, kind: str, at: datetime, quiet: timedelta) -> bool:
    """Record that this kind of trouble happened at the time ``at``, and return whether to notify the bot's admins.

    Notify the admins of the first occurrence, and of any later one that follows a trouble-free period of at least
    ``quiet``.
    """
    row = unit.insert(ReportedTroubleRow).values(bot_id=bot_id, kind=kind, reported_at=at)
    if unit.scalar(row.on_conflict_do_nothing().returning(ReportedTroubleRow.kind)) is not None:
        return True
    known = unit.get(ReportedTroubleRow, (bot_id, kind), with_for_update=True)
    if known is None or at <= known.reported_at:
        return False
    is_after_quiet = at - known.reported_at >= quiet
    known.reported_at = at
    return is_after_quiet


def forget_report(unit: UnitOfWork, bot_id: int, kind: str) -> None:
    """Record that the trouble was dealt with, so that the admins are notified if it comes back."""
    reported = (ReportedTroubleRow.bot_id == bot_id) & (ReportedTroubleRow.kind == kind)
    unit.change(delete(ReportedTroubleRow).where(reported))
