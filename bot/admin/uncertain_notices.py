"""Notifies admins once when replies may not have arrived, and again only after a quiet period."""

from typing import Final

from bot.database import AsyncDatabase
from bot.polling import poll_every
from bot.sending.troubles import Troubles
from storage.chat import undelivered
from storage.chat.troubles import TroubleKind
from storage.db.database import UnitOfWork

# Seconds between polls.
POLL_SECONDS: Final = 30.0


class UncertainNotices:
    """Enqueues the notices. The database records when the last reply became uncertain."""

    def __init__(self, database: AsyncDatabase, troubles: Troubles, bot_id: int) -> None:
        self._database = database
        self._troubles = troubles
        self._bot_id = bot_id

    async def run(self) -> None:
        """Poll until cancelled."""
        await poll_every(POLL_SECONDS, self.poll, "Could not notify admins of uncertain replies")

    async def poll(self) -> None:
        """Notify the admins of this bot's uncertain replies, unless they already know."""
        count, newest = await self._database.read(lambda unit: undelivered.count_uncertain(unit, self._bot_id))
        if newest is None:
            return

        def work(unit: UnitOfWork) -> list[int]:
            kind, text = TroubleKind.REPLIES_UNCERTAIN, "trouble_replies_uncertain"
            return self._troubles.enqueue(unit, kind, text, newest, count=count)

        self._troubles.wake(await self._database.write(work))
