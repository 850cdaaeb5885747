"""Bot instances, and the model version that each of them reports serving."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update

from storage.db.database import UnitOfWork
from storage.db.tables import InstanceRow, SecretRow
from storage.errors import BotsRunning

# Seconds without a report after which an instance is considered dead.
ALIVE_SECONDS: Final = 30
# Time after which a row is deleted if its instance ended without deregistering.
_DELETE_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BotInstance:
    """A bot process: the version that it serves and since when, and the version that it refused to load and why."""

    process: str
    bot_id: int
    version: str
    since: datetime
    seen_at: datetime
    refused_version: str | None
    refusal: str | None


def acknowledge(unit: UnitOfWork, process: str, bot_id: int, version: str) -> None:
    """Record that the process now serves this version, and clear its earlier refusal.

    Raise KeyWrong if the keys were rotated after the process opened the database. This function and a key rotation wait
    for each other, because both lock the secrets.
    """
    for secret in unit.scalars(select(SecretRow.value).with_for_update(read=True)).all():
        unit.cipher.needs_older_key(secret)
    now = unit.now()
    values = {"bot_id": bot_id, "version": version, "since": now, "seen_at": now}
    values |= {"refused_version": None, "refusal": None}
    unit.execute(
        unit.insert(InstanceRow)
        .values(process=process, **values)
        .on_conflict_do_update(index_elements=[InstanceRow.process], set_=values)
    )
    unit.change(delete(InstanceRow).where(InstanceRow.seen_at < now - _DELETE_AFTER))


def refuse(unit: UnitOfWork, process: str, version: str, reason: str) -> None:
    """Record that the process refused to load this version. ``reason`` is a sentence that explains why."""
    refused = {"refused_version": version, "refusal": reason, "seen_at": unit.now()}
    unit.change(update(InstanceRow).where(InstanceRow.process == process).values(refused))


def clear_refusal(unit: UnitOfWork, process: str) -> None:
    """Clear the process's refusal, because a different version has gone live."""
    unit.change(update(InstanceRow).where(InstanceRow.process == process).values(refused_version=None, refusal=None))


def heartbeat(unit: UnitOfWork, process: str) -> None:
    """Record that the process is still running."""
    unit.change(update(InstanceRow).where(InstanceRow.process == process).values(seen_at=unit.now()))


def deregister(unit: UnitOfWork, process: str) -> None:
    """Delete the row of a process that is ending."""
    unit.change(delete(InstanceRow).where(InstanceRow.process == process))


def refuse_beside_bots(unit: UnitOfWork) -> None:
    """Raise BotsRunning, which lists the processes, if any bot instance is alive."""
    if alive := live_instances(unit):
        raise BotsRunning(processes=", ".join(instance.process for instance in alive), seconds=ALIVE_SECONDS)


def live_instances(unit: UnitOfWork) -> list[BotInstance]:
    """Return the instances that reported within the last ALIVE_SECONDS, ordered by process name."""
    recent = InstanceRow.seen_at >= unit.now() - timedelta(seconds=ALIVE_SECONDS)
    rows = unit.scalars(select(InstanceRow).where(recent).order_by(InstanceRow.process))
    return [BotInstance(**{name: getattr(row, name) for name in BotInstance.__slots__}) for row in rows]
