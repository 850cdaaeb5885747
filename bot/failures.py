"""What happens to an update whose handling failed: it is tried again, then set aside with an apology."""

import logging

from telegram import Update

from bot.answering import Received, say
from bot.handlers.reading import Context, pieces_of, received
from bot.inbox import Inbox
from bot.outbox import Outbox
from bot.store import Store
from storage import updates

logger = logging.getLogger(__name__)


class Failures:
    """The error handler of the application."""

    def __init__(self, store: Store, outbox: Outbox, inbox: Inbox) -> None:
        self._store = store
        self._outbox = outbox
        self._inbox = inbox

    async def on_error(self, update: object, context: Context) -> None:
        """Log the failure, count it, and try again until the update has failed too often."""
        pieces = pieces_of(update)
        logger.error("Handling %s failed", [piece.update_id for piece in pieces], exc_info=context.error)
        reason = repr(context.error)
        for piece in pieces:
            await self._count(piece, reason)

    async def _count(self, piece: Update, reason: str) -> None:
        bot_id = piece.get_bot().id
        attempts = await self._store.write(lambda unit: updates.fail(unit, bot_id, piece.update_id, reason))
        if attempts < updates.MAX_ATTEMPTS:
            self._inbox.hand_on(piece)
        elif piece.effective_chat is not None and piece.effective_user is not None:
            # Not marked as handled: the update was set aside and stays so.
            about = received([piece])
            nothing_done = Received(about.bot_id, (), about.chat_id, about.sender)
            apology = about.sender.texts.failed
            await self._outbox.send([await self._store.write(lambda unit: say(unit, nothing_done, apology))])
