"""What happens to an update whose handling failed: it stays for another try, then is set aside with an apology."""

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
    """The error handler of the application."""

    def __init__(self, store: AsyncDatabase, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    async def on_error(self, update: object, context: Context) -> None:
        """Log the failure and count it; the inbox's sweep tries again until the update has failed too often."""
        pieces = updates_in(update)
        numbers = [piece.update_id for piece in pieces]
        if isinstance(context.error, UpdateHandled):
            logger.info("%s", context.error)
            return
        logger.error("Handling %s failed", numbers, exc_info=context.error)
        if not pieces or pieces[0].effective_user is None or pieces[0].effective_chat is None:
            return
        about, reason = parse_incoming(pieces), repr(context.error)

        def work(unit: UnitOfWork) -> None:
            attempts = [inbox.fail(unit, about.bot_id, number, reason) for number in numbers]
            if inbox.MAX_ATTEMPTS in attempts:
                send(unit, about, MessageContent(about.texts.failed))

        await self._store.write(work)
        self._outbox.wake(about.chat_id)
