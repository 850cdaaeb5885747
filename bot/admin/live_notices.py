"""Notifies admins when bots start using a model that an admin made live."""

from datetime import timedelta
from typing import Final

from bot.database import AsyncDatabase
from bot.polling import poll_every
from bot.sending.troubles import Troubles
from storage.db.database import UnitOfWork
from storage.models import registry
from storage.models.registry import ModelChange
from storage.models.serving_status import ModelStatus, live_status

# Seconds between polls.
POLL_SECONDS: Final = 1.0
# How long after the change admins may still be notified of it.
_MAX_AGE: Final = timedelta(days=1)


class LiveNotices:
    """Enqueues the notices. The database records which notices a bot's admins have received."""

    def __init__(self, database: AsyncDatabase, troubles: Troubles) -> None:
        self._database = database
        self._troubles = troubles

    async def run(self) -> None:
        """Poll until cancelled."""
        await poll_every(POLL_SECONDS, self.poll, "Could not notify admins of the live model")

    async def poll(self) -> None:
        """Notify the admins once a bot uses a model that one of them made live, unless they already know."""
        if await self._database.read(self._unreported):
            self._troubles.wake(await self._database.write(self._enqueue))

    def _unreported(self, unit: UnitOfWork) -> tuple[ModelChange, ModelStatus] | None:
        """Return the newest change and its model's status if an admin made the change and a bot loaded the model."""
        change, status = next(iter(registry.changes(unit, 1)), None), live_status(unit)
        if change is None or change.who is None or change.confirms or change.at < unit.now() - _MAX_AGE:
            return None
        if status is None or status.model.version != change.to_version or not status.serving:
            return None
        return (change, status) if self._troubles.unreported(unit, [_kind(change)]) else None

    def _enqueue(self, unit: UnitOfWork) -> list[int]:
        """Enqueue the notice and return the ids of the chats it goes to."""
        found = self._unreported(unit)
        if found is None:
            return []
        change, status = found
        values = {"version": change.to_version, "serving": len(status.serving), "running": status.running}
        return self._troubles.enqueue(unit, _kind(change), "model_answers", **values)


def _kind(change: ModelChange) -> str:
    return f"live {int(1_000_000 * change.at.timestamp())}"
