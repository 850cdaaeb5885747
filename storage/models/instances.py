"""Which bot process answers with which model, said by the processes themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.tables import InstanceRow

# Seconds without a word after which a process counts as gone.
ALIVE_SECONDS: Final = 30
# Days after which the row of a process that ended without a word is removed.
_FORGOTTEN_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BotInstance:
    """One bot process: the version that answers in it, since when, and the version that it refused, with the reason."""

    process: str
    bot_id: int
    version: str
    since: datetime
    seen_at: datetime
    refused_version: str | None
    refusal: str | None


def acknowledge(unit: UnitOfWork, process: str, bot_id: int, version: str) -> None:
    """Note that this version answers in the process from now on; what it refused before is forgotten."""
    now = utc_now()
    facts = {"bot_id": bot_id, "version": version, "since": now, "seen_at": now}
    facts |= {"refused_version": None, "refusal": None}
    unit.execute(
        unit.insert(InstanceRow)
        .values(process=process, **facts)
        .on_conflict_do_update(index_elements=[InstanceRow.process], set_=facts)
    )
    unit.change(delete(InstanceRow).where(InstanceRow.seen_at < now - _FORGOTTEN_AFTER))


def refuse(unit: UnitOfWork, process: str, version: str, reason: str) -> None:
    """Note that the process did not take this version, and the sentence that says why."""
    refused = {"refused_version": version, "refusal": reason, "seen_at": utc_now()}
    unit.change(update(InstanceRow).where(InstanceRow.process == process).values(refused))


def clear_refusal(unit: UnitOfWork, process: str) -> None:
    """Forget what the process refused: another version is live by now."""
    unit.change(update(InstanceRow).where(InstanceRow.process == process).values(refused_version=None, refusal=None))


def heartbeat(unit: UnitOfWork, process: str) -> None:
    """Note that the process is still there."""
    unit.change(update(InstanceRow).where(InstanceRow.process == process).values(seen_at=utc_now()))


def deregister(unit: UnitOfWork, process: str) -> None:
    """Note that the process ended."""
    unit.change(delete(InstanceRow).where(InstanceRow.process == process))


def live_instances(unit: UnitOfWork) -> list[BotInstance]:
    """The processes that were heard of lately, by name."""
    heard = InstanceRow.seen_at >= utc_now() - timedelta(seconds=ALIVE_SECONDS)
    rows = unit.scalars(select(InstanceRow).where(heard).order_by(InstanceRow.process))
    return [BotInstance(**{name: getattr(row, name) for name in BotInstance.__slots__}) for row in rows]
