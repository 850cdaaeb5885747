"""Whether learning is paused, and who paused and resumed it. Entries are only ever added, and the newest one counts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.db.database import UnitOfWork
from storage.db.tables import LearningPauseRow


@dataclass(frozen=True, slots=True)
class LearningPause:
    """A record that learning was paused or resumed. ``who`` is an admin's Telegram id, or None if they were deleted."""

    paused: bool
    who: int | None
    at: datetime


def set_paused(unit: UnitOfWork, paused: bool, who: int) -> bool:
    """Pause or resume learning. Return False if that changes nothing."""
    if is_paused(unit) == paused:
        return False
    unit.add(LearningPauseRow(paused=paused, who=who))
    unit.flush()
    return True


def is_paused(unit: UnitOfWork) -> bool:
    """Return whether no training run may start."""
    newest = newest_pauses(unit, 1)
    return bool(newest and newest[0].paused)


def newest_pauses(unit: UnitOfWork, count: int) -> list[LearningPause]:
    """Return the latest entries, newest first."""
    rows = unit.scalars(select(LearningPauseRow).order_by(LearningPauseRow.id.desc()).limit(count))
    return [LearningPause(row.paused, row.who, row.created_at) for row in rows]
