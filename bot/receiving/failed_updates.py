"""Counts each update's failed attempts. After the last attempt, apologises to the sender and notifies the admins."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from telegram import Bot

from bot.database import AsyncDatabase
from bot.incoming import Incoming
from bot.receiving.checked_update import UnparsableUpdate
from bot.receiving.update_parsing import Context, parse_incoming, updates_in
from bot.sending.outbox import Outbox
from bot.sending.replies import MessageContent, send
from bot.sending.troubles import Troubles
from storage.chat import inbox
from storage.chat.troubles import TroubleKind
from storage.db.database import UnitOfWork
from storage.db.outages import DATABASE_OUTAGES
from storage.errors import UpdateHandled

logger = logging.getLogger(__name__)

# Maximum number of characters to store from an error message, which may contain a whole text.
_MAX_REASON_LENGTH: Final = 1000


class FailedUpdates:
    """Records updates that could not be handled. The inbox retries an update until it has no attempts left."""

    def __init__(self, bot: Bot, database: AsyncDatabase, outbox: Outbox, troubles: Troubles) -> None:
        self._bot = bot
        self._database = database
        self._outbox = outbox
        self._troubles = troubles

    async def on_error(self, update: object, context: Context) -> None:
        """Record that a handler raised an error. PTB calls this as its error handler."""
        pieces = updates_in(update)
        incoming = None
        # The failure is counted even if the update can't be parsed.
        with suppress(Exception):
            incoming = parse_incoming(pieces)
        await self.record([piece.update_id for piece in pieces], context.error, incoming)

    async def record(
        self, update_ids: Sequence[int], error: Exception | None, incoming: Incoming | None = None
    ) -> None:
        """Log and count a failed attempt. ``incoming`` is the sender to apologise to after the last attempt, if known.

        A database outage is not the update's fault, so it isn't counted.
        """
        if isinstance(error, UpdateHandled):
            logger.info("%s", error)
            return
        if isinstance(error, DATABASE_OUTAGES):
            return
        if isinstance(error, UnparsableUpdate):
            # The error's message may quote the update, and its traceback only shows code from the library.
            logger.error("Updates %s cannot be parsed; see thumbs updates show", update_ids)
        else:
            logger.error("Handling updates %s failed", update_ids, exc_info=error)
        reason = _reason(error)

        def work(unit: UnitOfWork) -> list[int]:
            """Return the admins to notify."""
            attempts = [inbox.fail(unit, self._bot.id, update_id, reason) for update_id in update_ids]
            if inbox.MAX_ATTEMPTS not in attempts:
                return []
            if incoming is not None:
                send(unit, incoming, MessageContent(incoming.texts.failed))
            kind, text = TroubleKind.UPDATE_FAILED, "trouble_update_failed"
            return self._troubles.enqueue(unit, kind, text, update_id=update_ids[0], attempts=inbox.MAX_ATTEMPTS)

        # If an outage prevents the count, the update is still pending and is retried.
        with suppress(*DATABASE_OUTAGES):
            self._troubles.wake(await self._database.write(work))
        if incoming is not None:
            self._outbox.wake(incoming.chat_id)

    async def report_dropped(self) -> None:
        """Notify the admins of an update that cannot be stored."""
        await self._troubles.report(TroubleKind.UPDATE_DROPPED, "trouble_update_dropped")


def _reason(error: Exception | None) -> str:
    """Return the error as text that can be stored, with lone surrogates escaped."""
    return repr(error).encode(errors="backslashreplace").decode()[:_MAX_REASON_LENGTH]
