"""Notifies admins once about each live model version that their bot could not load."""

import hashlib
from typing import Final

from bot.database import AsyncDatabase
from bot.formatting import REASON_LENGTH, truncate
from bot.polling import poll_every
from bot.sending.troubles import Troubles
from storage.db.database import UnitOfWork
from storage.models import instances
from storage.models.instances import BotInstance

# Seconds between polls.
POLL_SECONDS: Final = 1.0
# Number of hex digits in the version's hash, which is part of the kind of trouble.
_DIGEST_LENGTH: Final = 24


class RefusalNotices:
    """Enqueues the notices. The database records which versions the admins know about."""

    def __init__(self, database: AsyncDatabase, troubles: Troubles, bot_id: int) -> None:
        self._database = database
        self._troubles = troubles
        self._bot_id = bot_id

    async def run(self) -> None:
        """Poll until cancelled."""
        await poll_every(POLL_SECONDS, self.poll, "Could not notify admins of a refused model")

    async def poll(self) -> None:
        """Notify the admins of each version that an instance of this bot refused, unless they already know about it."""
        if await self._database.read(self._unreported):
            self._troubles.wake(await self._database.write(self._enqueue))

    def _unreported(self, unit: UnitOfWork) -> list[BotInstance]:
        """Return the instances of this bot that refused a model, if the admins still need to be notified."""
        refusals = [
            instance
            for instance in instances.live_instances(unit)
            if instance.bot_id == self._bot_id and instance.refusal is not None
        ]
        unknown = self._troubles.unreported(unit, [_kind(instance) for instance in refusals])
        return [instance for instance in refusals if _kind(instance) in unknown]

    def _enqueue(self, unit: UnitOfWork) -> set[int]:
        """Enqueue the notices and return the ids of the chats they go to."""
        chats: set[int] = set()
        for instance in self._unreported(unit):
            chats.update(
                self._troubles.enqueue(
                    unit,
                    _kind(instance),
                    "model_refused",
                    version=instance.refused_version,
                    serving=instance.version,
                    reason=truncate(instance.refusal or "", REASON_LENGTH),
                )
            )
        return chats


def _kind(instance: BotInstance) -> str:
    """Return the kind of trouble, which contains a hash of the version because the version itself may be too long."""
    version = instance.refused_version or ""
    return f"refused {hashlib.sha256(version.encode()).hexdigest()[:_DIGEST_LENGTH]}"
