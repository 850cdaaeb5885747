"""Sends committed replies, in order within each chat and never twice.

A reply is claimed (committed as SENDING), sent, and marked with the result. If the connection breaks after a new
message is sent, the reply becomes UNCERTAIN, because a retry could duplicate it. A setting can request a retry anyway.
Edits are retried, because editing twice is harmless. A reply that Telegram refuses temporarily is retried and delays
only its own chat. A payload with a ``run_card`` is a photo of that training run's chart. An edit with a caption changes
the photo's caption.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from aiolimiter import AsyncLimiter
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.database import AsyncDatabase
from bot.polling import poll_every
from bot.sending.calls import ANYBODY, ReplyCalls, Voting
from bot.sending.failed_calls import is_outage, may_have_arrived, request_left, seconds_to_wait
from bot.timings import CALLING
from core.logs import update_context
from core.outages import Outage
from storage.chat import outbox, undelivered
from storage.chat.outbox import Reply
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.outages import DATABASE_OUTAGES

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

# Seconds between sweeps for chats with pending replies that aren't being sent.
SWEEP_SECONDS: Final = 5.0
# Seconds to wait for open requests when the bot stops.
_STOP_TIMEOUT: Final = 5.0
# Maximum number of attempts per reply. With the pauses in between, they take about an hour.
_MAX_ATTEMPTS: Final = 20
# Maximum number of calls in flight, which also limits how many replies become uncertain if the process is killed. If
# each call takes 0.1 s, four are enough to reach the limit on calls per second.
_MAX_CALLS: Final = 4
# Seconds to wait before another attempt to record the result of a call.
_RECORD_RETRY_SECONDS: Final = 1.0
# Maximum number of attempts to send an uncertain message, if such messages are retried. Each attempt may send a
# duplicate.
_MAX_UNCERTAIN_ATTEMPTS: Final = 3
# Maximum number of calls per second, because Telegram throttles bots that make more.
_CALLS_PER_SECOND: Final = 30


@dataclass(slots=True)
class _Attempts:
    """The number of attempts to send a chat's oldest reply."""

    reply_id: int = 0
    count: int = 0

    def increment(self, reply_id: int) -> int:
        self.count = self.count + 1 if reply_id == self.reply_id else 1
        self.reply_id = reply_id
        return self.count


class Outbox:
    """Sends this bot's replies with one task per chat, and records the results in the database."""

    def __init__(
        self, bot: Bot, database: AsyncDatabase, voting: Voting = ANYBODY, *, retry_uncertain: bool = False
    ) -> None:
        self._bot = bot
        self._database = database
        self._telegram = ReplyCalls(bot, database, voting)
        self._retry_uncertain = retry_uncertain
        self._chats: dict[int, asyncio.Task[None]] = {}
        self._woken_again: set[int] = set()
        self._attempts: defaultdict[int, _Attempts] = defaultdict(_Attempts)
        self._sweeper: asyncio.Task[None] | None = None
        self._outage = Outage("Telegram")
        self._rate = AsyncLimiter(_CALLS_PER_SECOND, 1)
        self._calls = asyncio.Semaphore(_MAX_CALLS)
        self._open_requests = 0
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """Settle replies that an earlier process was sending when it died, then send pending replies until stopped."""
        await self._database.write(self._settle_interrupted)
        sweeping = poll_every(SWEEP_SECONDS, self._sweep, "Could not read the pending replies")
        self._sweeper = asyncio.create_task(sweeping, name="outbox")

    def _settle_interrupted(self, unit: UnitOfWork) -> None:
        interrupted = outbox.requeue_interrupted(unit, self._bot.id)
        if self._retry_uncertain:
            retried = undelivered.retry_uncertain(unit, self._bot.id)
            if retried:
                logger.warning("%d messages that may have arrived are sent again", retried)
        elif interrupted:
            logger.warning(
                "%d messages were being sent when the last process ended, and are not sent again; see thumbs outbox "
                "list",
                interrupted,
            )

    async def stop(self) -> None:
        """Let open requests finish, and don't start new ones. Pending replies stay in the database."""
        self._stopping.set()
        try:
            await asyncio.wait_for(self._idle.wait(), _STOP_TIMEOUT)
        except TimeoutError:
            logger.warning("%d requests did not finish in time", self._open_requests)
        tasks = [*self._chats.values(), *([self._sweeper] if self._sweeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self, chat_id: int) -> None:
        """Send a chat's pending replies. Call this after committing replies."""
        if chat_id in self._chats:
            self._woken_again.add(chat_id)
        elif not self._stopping.is_set():
            self._chats[chat_id] = asyncio.create_task(self._serve(chat_id), name=f"outbox {chat_id}")

    async def _sweep(self) -> None:
        for chat_id in await self._database.read(lambda unit: outbox.pending_chats(unit, self._bot.id)):
            self.wake(chat_id)

    async def _serve(self, chat_id: int) -> None:
        """Send a chat's replies one after another until none is pending. After an error, the sweep starts over."""
        try:
            while not self._stopping.is_set():
                self._woken_again.discard(chat_id)
                pause = await self._send_next_limited(chat_id)
                if pause is not None:
                    await asyncio.sleep(pause)
                elif chat_id not in self._woken_again:
                    return
        # An error in one reply must not block the chat's later replies.
        except Exception as error:
            if not isinstance(error, DATABASE_OUTAGES):
                logger.exception("Could not send the replies to chat %d; the next sweep retries", chat_id)
        finally:
            del self._chats[chat_id]
            self._attempts.pop(chat_id, None)

    async def _send_next_limited(self, chat_id: int) -> float | None:
        """Call ``send_next`` within Telegram's rate limits. Replies stay pending while they wait their turn."""
        if not await self._database.read(lambda unit: outbox.is_pending(unit, self._bot.id, chat_id)):
            return None
        async with self._calls:
            await self._rate.acquire()
            return None if self._stopping.is_set() else await self.send_next(chat_id)

    async def send_next(self, chat_id: int) -> float | None:
        """Claim and send a chat's oldest pending reply, and record the result.

        Return the seconds to wait before the next reply, or None if none is pending.
        """
        with self._request():
            reply = await self._claim(chat_id)
            if reply is None:
                return None
            with update_context(reply.update_id):
                return await self._send(reply)

    async def _send(self, reply: Reply) -> float:
        """Send a claimed reply and record the result. Return the seconds to wait before the chat's next reply."""
        try:
            with CALLING.time():
                message_id = await self._telegram.call(reply)
        except TelegramError as error:
            return await self._record_failure(reply, error, self._attempts[reply.chat_id].increment(reply.id))
        self._outage.succeeded()
        await self._record(lambda unit: outbox.mark_sent(unit, reply.id, message_id))
        logger.info("Sent reply %d", reply.id)
        return 0.0

    async def _claim(self, chat_id: int) -> Reply | None:
        """Claim a chat's oldest pending reply. If the database fails, release a committed claim and raise the error."""
        now = utc_now()
        try:
            return await self._database.write(lambda unit: outbox.claim_next(unit, self._bot.id, chat_id, now))
        except DATABASE_OUTAGES:
            await self._record(lambda unit: outbox.release_claim(unit, self._bot.id, chat_id, now))
            raise

    async def _record(self, work: Callable[[UnitOfWork], Result]) -> Result:
        """Run ``work`` in a unit of work, retrying until the database accepts it, so that no reply stays in SENDING.

        The work skips the queue, because replies in SENDING become uncertain if the process is killed.
        """
        while True:
            try:
                return await self._database.write(work, urgent=True)
            except DATABASE_OUTAGES:
                await asyncio.sleep(_RECORD_RETRY_SECONDS)

    @contextmanager
    def _request(self) -> Iterator[None]:
        """Count the block as an open request, which ``stop`` waits for."""
        self._open_requests += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._open_requests -= 1
            if not self._open_requests:
                self._idle.set()

    async def _record_failure(self, reply: Reply, error: TelegramError, attempt: int) -> float:
        """Record the reply's state after a failed call. Return the seconds to wait before the chat's next call."""
        target, reason = reply.telegram_message_id, str(error)

        def work(unit: UnitOfWork) -> bool:
            """Return whether the reply is pending again."""
            if target is not None and "not modified" in reason:
                outbox.mark_sent(unit, reply.id, target)
            elif target is not None and reply.answers is not None and "to edit not found" in reason:
                # The person deleted the reply and then edited the message.
                outbox.mark_as_new(unit, reply.id)
                return True
            elif isinstance(error, (BadRequest, Forbidden, ChatMigrated)):
                outbox.mark_failed(unit, reply.id, reason)
            elif target is None and may_have_arrived(error) and not self._retries_uncertain(attempt):
                outbox.mark_uncertain(unit, reply.id, reason)
            elif attempt >= _MAX_ATTEMPTS and request_left(error):
                outbox.mark_failed(unit, reply.id, reason)
            else:
                outbox.mark_pending(unit, reply.id)
                return True
            return False

        pending = await self._record(work)
        if pending and is_outage(error):
            self._outage.failed(error)
        else:
            logger.warning("Could not send reply %d at attempt %d: %s", reply.id, attempt, reason)
        return seconds_to_wait(error, attempt) if pending else 0.0

    def _retries_uncertain(self, attempt: int) -> bool:
        return self._retry_uncertain and attempt < _MAX_UNCERTAIN_ATTEMPTS
