"""Running workers, which report every few seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from storage.db.database import UnitOfWork
from storage.db.tables import WorkerRow

# Seconds between two reports, and seconds without a report after which a worker counts as gone.
REPORT_SECONDS: Final = 15.0
_ALIVE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class RunningWorker:
    """A worker, and the names of the queues that it consumes, separated by spaces."""

    process: str
    queues: str
    since: datetime


def report(unit: UnitOfWork, process: str, queues: str) -> None:
    """Record that a worker is running, and delete the rows of workers that are long gone."""
    now = unit.now()
    unit.change(delete(WorkerRow).where(WorkerRow.seen_at < now - timedelta(days=1)))
    row = unit.insert(WorkerRow).values(process=process, queues=queues, since=now, seen_at=now)
    unit.execute(row.on_conflict_do_update(index_elements=[WorkerRow.process], set_={"seen_at": now}))


def sign_off(unit: UnitOfWork, process: str) -> None:
    """Record that a worker has ended."""
    unit.change(delete(WorkerRow).where(WorkerRow.process == process))


def running_workers(unit: UnitOfWork) -> list[RunningWorker]:
    """Return the workers that reported recently, ordered by process name."""
    recent = WorkerRow.seen_at >= unit.now() - timedelta(seconds=_ALIVE_SECONDS)
    rows = unit.scalars(select(WorkerRow).where(recent).order_by(WorkerRow.process))
    return [RunningWorker(row.process, row.queues, row.since) for row in rows]
