"""Counts the failures of each update, and apologises to its sender after the last attempt."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from telegram import Bot

from bot.database import DATABASE_OUTAGES, AsyncDatabase
from bot.transport.conversation import Incoming, MessageContent, send
from bot.transport.outbox import Outbox
from bot.transport.update_parsing import Context, parse_incoming, updates_in
from storage.chat import inbox
from storage.db.database import UnitOfWork
from storage.errors import UpdateHandled

logger = logging.getLogger(__name__)

# Maximum number of characters that are stored of an error, which may repeat a whole text.
_MAX_REASON_LENGTH: Final = 1000


class FailedUpdates:
    """Records that handling updates failed. The inbox retries them until they have no attempts left."""

    def __init__(self, bot: Bot, database: AsyncDatabase, outbox: Outbox) -> None:
        self._bot = bot
        self._database = database
        self._outbox = outbox

    async def on_error(self, update: object, context: Context) -> None:
        """Record that a handler raised; this is PTB's error handler."""
        pieces = updates_in(update)
        incoming = None
        # Whatever an update lacks, its failure is counted.
        with suppress(Exception):
            incoming = parse_incoming(pieces)
        await self.record([piece.update_id for piece in pieces], context.error, incoming)

    async def record(
        self, update_ids: Sequence[int], error: Exception | None, incoming: Incoming | None = None
    ) -> None:
        """Log and count a failed attempt. After the last one, apologise to the sender if ``incoming`` names one.

        An outage of the database is not the update's fault, so it is not counted.
        """
        if isinstance(error, UpdateHandled):
            logger.info("%s", error)
            return
        if isinstance(error, DATABASE_OUTAGES):
            return
        logger.error("Handling updates %s failed", update_ids, exc_info=error)
        reason = _reason(error)

        def work(unit: UnitOfWork) -> None:
            attempts = [inbox.fail(unit, self._bot.id, update_id, reason) for update_id in update_ids]
            if inbox.MAX_ATTEMPTS in attempts and incoming is not None:
                send(unit, incoming, MessageContent(incoming.texts.failed))

        # Not counted during an outage either: the update is pending, so it is retried.
        with suppress(*DATABASE_OUTAGES):
            await self._database.write(work)
        if incoming is not None:
            self._outbox.wake(incoming.chat_id)


def _reason(error: Exception | None) -> str:
    """Return the error as text that can be stored: half of a surrogate pair cannot be encoded."""
    return repr(error).encode(errors="backslashreplace").decode()[:_MAX_REASON_LENGTH]
