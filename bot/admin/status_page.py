"""The /status page, which shows the same information as ``thumbs status``. Free of Telegram types."""

import asyncio

from bot.admin.system_status import read_status, read_surroundings, status_lines
from bot.database import AsyncDatabase
from bot.formatting import truncate
from bot.incoming import Incoming
from bot.sending.replies import MessageContent, send
from bot.texts import fill
from core.settings import Settings
from storage.db.database import UnitOfWork

# Maximum number of characters, so that the page fits into one message.
_MAX_LENGTH = 3_500


class StatusPage:
    """The /status page. The reply is enqueued before the method returns."""

    def __init__(self, database: AsyncDatabase, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def show(self, incoming: Incoming) -> None:
        """Show the state of the bots, the workers and this machine."""
        # The broker may not respond for seconds, in which the bot answers other people.
        around = await asyncio.to_thread(read_surroundings, self._settings)

        def work(unit: UnitOfWork) -> None:
            lines = "\n".join(status_lines(read_status(unit), around))
            send(unit, incoming, MessageContent(fill("<pre>{lines}</pre>", lines=truncate(lines, _MAX_LENGTH))))
            incoming.finish(unit)

        await self._database.write(work)
