"""Replies out: each was committed before it is sent, none is sent twice, and a chat's go out in order.

A reply is taken (committed as being sent), sent, and settled. Where the connection broke after the request left, a new
message stays uncertain, for sending it again could double it; a change of a message is made again, for it cannot
double. A reply that Telegram refuses for now is owed again and holds up its own chat only. A reply whose payload names
a ``run_card`` is a photo, the chart of that training run; one with a caption and no chart changes what stands under it.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import httpx
from aiolimiter import AsyncLimiter
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, InlineKeyboardMarkup, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.database import AsyncDatabase
from storage.chat import outbox
from storage.chat.outbox import Reply
from storage.db.database import UnitOfWork
from storage.errors import StorageError
from storage.training import runs

logger = logging.getLogger(__name__)

# Seconds between two looks for chats that a reply waits for and nobody serves.
SWEEP_EVERY: Final = 5.0
# Seconds that requests on their way may take to end when the bot stops.
_GRACE: Final = 5.0
# Tries of one reply, and the seconds before the second; they double up to the longest pause: about an hour in all.
_TRIES: Final = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
# Telegram slows a bot down that calls it more often, in calls a second.
_CALLS_A_SECOND: Final = 30
# How Telegram says that a gateway gave up waiting: what stands behind it may have carried the call out.
_GATEWAY_TIMED_OUT: Final = HTTPStatus.GATEWAY_TIMEOUT.phrase
# Before these, no byte of the request was sent; a proxy refuses before it lets anything through.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@dataclass(slots=True)
class _Tries:
    """How often the reply at the head of a chat's line has been tried."""

    reply_id: int = 0
    count: int = 0

    def another(self, reply_id: int) -> int:
        self.count = self.count + 1 if reply_id == self.reply_id else 1
        self.reply_id = reply_id
        return self.count


class Outbox:
    """Sends this bot's replies, each chat's by a task of its own, and settles them in the database."""

    def __init__(self, bot: Bot, store: AsyncDatabase) -> None:
        self._bot = bot
        self._store = store
        self._chats: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._tries: defaultdict[int, _Tries] = defaultdict(_Tries)
        self._sweeper: asyncio.Task[None] | None = None
        self._rate = AsyncLimiter(_CALLS_A_SECOND, 1)
        self._sending = 0
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """Settle what a dead process was sending, and from now on send what waits."""
        uncertain = await self._store.write(lambda unit: outbox.requeue_interrupted(unit, self._bot.id))
        if uncertain:
            logger.warning("%d messages were on their way when the last process ended; not sent again", uncertain)
        self._sweeper = asyncio.create_task(self._sweep(), name="outbox")

    async def stop(self) -> None:
        """Let the requests on their way end, and send no other; what waits is kept."""
        self._stopping.set()
        try:
            await asyncio.wait_for(self._idle.wait(), _GRACE)
        except TimeoutError:
            logger.warning("%d requests did not end in time", self._sending)
        tasks = [*self._chats.values(), *([self._sweeper] if self._sweeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self, chat_id: int) -> None:
        """Send what is owed to a chat; call it when something was committed."""
        if chat_id in self._chats:
            self._again.add(chat_id)
        elif not self._stopping.is_set():
            self._chats[chat_id] = asyncio.create_task(self._serve(chat_id), name=f"outbox {chat_id}")

    async def _sweep(self) -> None:
        while True:
            try:
                for chat_id in await self._store.read(lambda unit: outbox.pending_chats(unit, self._bot.id)):
                    self.wake(chat_id)
            except (SQLAlchemyError, StorageError):
                logger.exception("The replies that wait cannot be read now")
            await asyncio.sleep(SWEEP_EVERY)

    async def _serve(self, chat_id: int) -> None:
        """Send a chat's replies one after the other until none is owed; the sweep comes back after a fault."""
        try:
            while not self._stopping.is_set():
                self._again.discard(chat_id)
                pause = await self._send_in_turn(chat_id)
                if pause is not None:
                    await asyncio.sleep(pause)
                elif chat_id not in self._again:
                    return
        # Whatever a reply runs into, the chat's later ones must go out; the one at fault stays as being sent.
        except Exception:
            logger.exception("A reply to chat %d was left unsettled", chat_id)
        finally:
            del self._chats[chat_id]
            self._tries.pop(chat_id, None)

    async def _send_in_turn(self, chat_id: int) -> float | None:
        """The same as ``send_next``, no faster than Telegram takes it; what waits for its turn is still owed."""
        if not await self._store.read(lambda unit: outbox.is_pending(unit, self._bot.id, chat_id)):
            return None
        await self._rate.acquire()
        return None if self._stopping.is_set() else await self.send_next(chat_id)

    async def send_next(self, chat_id: int) -> float | None:
        """Take, send and settle a chat's oldest reply; the seconds to wait before the next, None when none is owed."""
        with self._busy():
            reply = await self._store.write(lambda unit: outbox.claim_next(unit, self._bot.id, chat_id))
            if reply is None:
                return None
            try:
                message_id = await self._call(reply)
            except TelegramError as error:
                return await self._settle(reply, error, self._tries[chat_id].another(reply.id))
            await self._store.write(lambda unit: outbox.mark_sent(unit, reply.id, message_id))
            return 0.0

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """From before a reply is taken until it is settled, which ``stop`` waits for."""
        self._sending += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._idle.set()

    async def _call(self, reply: Reply) -> int:
        shown: dict[str, Any] = dict(reply.payload)
        if keyboard := shown.pop("reply_markup", None):
            shown["reply_markup"] = InlineKeyboardMarkup.de_json(keyboard, self._bot)
        run_id = shown.pop("run_card", None)
        if reply.telegram_message_id is not None:
            edit = self._bot.edit_message_caption if "caption" in shown else self._bot.edit_message_text
            await edit(chat_id=reply.chat_id, message_id=reply.telegram_message_id, **shown)
            return reply.telegram_message_id
        if reply.answers is not None:
            shown["reply_parameters"] = ReplyParameters(reply.answers, allow_sending_without_reply=True)
        if run_id is not None:
            return (await self._bot.send_photo(reply.chat_id, await self._card(run_id), **shown)).message_id
        return (await self._bot.send_message(reply.chat_id, **shown)).message_id

    async def _card(self, run_id: int) -> bytes:
        """The chart of a run, read when it is sent; one that is gone cannot be sent, now or later."""
        card = await self._store.read(lambda unit: runs.chart_of(unit, run_id))
        if card is None:
            raise BadRequest(f"run {run_id} has no chart")
        return card

    async def _settle(self, reply: Reply, error: TelegramError, attempt: int) -> float:
        target, reason = reply.telegram_message_id, str(error)

        def settle(unit: UnitOfWork) -> bool:
            """Whether the reply is owed again."""
            if target is not None and "not modified" in reason:
                outbox.mark_sent(unit, reply.id, target)
            elif target is not None and reply.answers is not None and "to edit not found" in reason:
                # The person deleted the answer, and then changed the question.
                outbox.mark_as_new(unit, reply.id)
                return True
            elif isinstance(error, (BadRequest, Forbidden, ChatMigrated)) or (attempt >= _TRIES and _left(error)):
                outbox.mark_failed(unit, reply.id, reason)
            elif target is None and _may_have_arrived(error):
                outbox.mark_uncertain(unit, reply.id, reason)
            else:
                outbox.mark_pending(unit, reply.id)
                return True
            return False

        logger.warning("Reply %d was not sent at try %d: %s", reply.id, attempt, reason)
        owed_again = await self._store.write(settle)
        return _pause(error, attempt) if owed_again else 0.0


def _left(error: TelegramError) -> bool:
    """Whether the request left, or an answer came: who is offline may be so for long."""
    return not isinstance(error.__cause__, _NEVER_LEFT)


def _may_have_arrived(error: TelegramError) -> bool:
    """Whether Telegram may have carried the call out: the connection broke with no answer, after the request left.

    An answer, be it an error of the server, says that it was not carried out, unless it is a gateway's that gave up.
    """
    if isinstance(error, TimedOut):
        return _left(error)
    if not isinstance(error, NetworkError):
        return False
    return str(error).startswith(_GATEWAY_TIMED_OUT) or (isinstance(error.__cause__, httpx.HTTPError) and _left(error))


def _pause(error: TelegramError, attempt: int) -> float:
    """Seconds before the next try: as long as Telegram says, or longer each time."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
    return float(min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE))
