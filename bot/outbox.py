"""Replies out: each was committed before it is sent, and none is sent twice.

A reply is taken (committed as being sent), sent, and settled. Where the connection broke after the request left, a new
message stays uncertain, for sending it again could double it; an edit is simply made again, for it cannot double.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import httpx
from telegram import Bot, InlineKeyboardMarkup, Message
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.store import Store
from storage import replies
from storage.database import Unit
from storage.replies import Reply

logger = logging.getLogger(__name__)

# Seconds between two looks for replies that wait for another try.
RETRY_EVERY: Final = 5.0
# Before these, no byte of the request was sent; a proxy refuses before it lets anything through.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Outbox:
    """Sends this bot's replies and settles them in the database."""

    def __init__(self, bot: Bot, store: Store) -> None:
        self._bot = bot
        self._store = store
        self._retrying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Settle what a dead process was sending, and from now on send what waits."""
        uncertain = await self._store.write(lambda unit: replies.settle_interrupted(unit, self._bot.id))
        if uncertain:
            logger.warning(
                "%d replies were on their way when the last process ended; they are not sent again", uncertain
            )
        self._retrying = asyncio.create_task(self._retry(), name="outbox")

    async def stop(self) -> None:
        """Stop looking for replies that wait; they are kept."""
        if self._retrying is not None:
            self._retrying.cancel()
            with suppress(asyncio.CancelledError):
                await self._retrying

    async def send(self, reply_ids: Iterable[int]) -> None:
        """Send these replies in order; one that cannot be sent now is tried again later."""
        for reply_id in reply_ids:
            reply = await self._store.write(lambda unit, owed=reply_id: replies.take(unit, owed))  # type: ignore[misc]
            if reply is not None:
                await self._send(reply)

    async def _retry(self) -> None:
        while True:
            try:
                waiting = await self._store.read(lambda unit: replies.unsent(unit, self._bot.id))
                await self.send(reply.id for reply in waiting)
            # A fault of the database or the network now must not end the retrying for good.
            except Exception:
                logger.exception("Replies that wait could not be sent")
            await asyncio.sleep(RETRY_EVERY)

    async def _send(self, reply: Reply) -> None:
        try:
            message_id = await self._call(reply)
        except TelegramError as error:
            await self._settle(reply, error)
        else:
            await self._store.write(lambda unit: replies.mark_sent(unit, reply.id, message_id))

    async def _call(self, reply: Reply) -> int | None:
        payload: dict[str, Any] = dict(reply.payload)
        if keyboard := payload.pop("reply_markup", None):
            payload["reply_markup"] = InlineKeyboardMarkup.de_json(keyboard, self._bot)
        if reply.method == "sendMessage":
            sent: Message = await self._bot.send_message(reply.chat_id, **payload)
            return sent.message_id
        await self._bot.edit_message_text(chat_id=reply.chat_id, **payload)
        return int(payload["message_id"])

    async def _settle(self, reply: Reply, error: TelegramError) -> None:
        logger.warning("Reply %d was not sent: %s", reply.id, error)
        reason = str(error)
        is_edit = reply.method != "sendMessage"

        def settle(unit: Unit) -> None:
            if is_edit and "not modified" in reason:
                replies.mark_sent(unit, reply.id, int(reply.payload["message_id"]))
            elif isinstance(error, (BadRequest, Forbidden, ChatMigrated)):
                replies.mark_failed(unit, reply.id, reason)
            elif is_edit or not _may_have_arrived(error):
                replies.mark_pending(unit, reply.id)
            else:
                replies.mark_uncertain(unit, reply.id, reason)

        await self._store.write(settle)
        if isinstance(error, RetryAfter):
            await asyncio.sleep(_seconds(error.retry_after))


def _may_have_arrived(error: TelegramError) -> bool:
    """Whether Telegram may have carried the call out: the connection broke with no answer, after the request left.

    An answer, be it an error of the server, says that it was not carried out.
    """
    cause = error.__cause__
    if isinstance(error, TimedOut):
        return not isinstance(cause, _NEVER_LEFT)
    return isinstance(error, NetworkError) and isinstance(cause, httpx.HTTPError) and not isinstance(cause, _NEVER_LEFT)


def _seconds(wait: int | timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
