"""Handles failed updates: keeps them for a retry, and apologises after the last attempt."""

import logging

from bot.database import AsyncDatabase
from bot.transport.conversation import MessageContent, send
from bot.transport.outbox import Outbox
from bot.transport.update_parsing import Context, parse_incoming, updates_in
from storage.chat import inbox
from storage.db.database import UnitOfWork
from storage.errors import UpdateHandled

logger = logging.getLogger(__name__)


class ErrorHandler:
    """The application's error handler."""

    def __init__(self, database: AsyncDatabase, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def on_error(self, update: object, context: Context) -> None:
        """Log and count the failed attempt; the inbox retries the update until it has no attempts left."""
        pieces = updates_in(update)
        update_ids = [piece.update_id for piece in pieces]
        if isinstance(context.error, UpdateHandled):
            logger.info("%s", context.error)
            return
        logger.error("Handling updates %s failed", update_ids, exc_info=context.error)
        if not pieces or pieces[0].effective_user is None or pieces[0].effective_chat is None:
            return
        incoming, reason = parse_incoming(pieces), repr(context.error)

        def work(unit: UnitOfWork) -> None:
            attempts = [inbox.fail(unit, incoming.bot_id, update_id, reason) for update_id in update_ids]
            if inbox.MAX_ATTEMPTS in attempts:
                send(unit, incoming, MessageContent(incoming.texts.failed))

        await self._database.write(work)
        self._outbox.wake(incoming.chat_id)
