"""Stores updates before confirming them to Telegram, then handles them chat by chat, in order.

Updates are stored as the raw JSON and parsed one by one afterwards, so a bad update doesn't affect the others.
Different chats are handled concurrently, so that the model's batches fill up. Within a chat, updates are handled one at
a time. If handling fails, the update stays in the database, and a periodic sweep retries it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DataError
from telegram import Bot, Update
from telegram.error import TelegramError

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender
from bot.polling import poll_every
from bot.receiving.checked_update import parse_update
from bot.receiving.failed_updates import FailedUpdates
from bot.receiving.in_progress import InProgress
from bot.receiving.message_parts import JOIN_SECONDS, Post, continues, may_continue
from bot.receiving.privacy_requests import is_privacy_request
from bot.receiving.raw_update import RawUpdate, UnusableUpdate, read_raw_update
from bot.timings import HANDLING, RECEIVED
from core.logs import update_context
from storage.chat import inbox
from storage.db.database import UnitOfWork
from storage.db.outages import DATABASE_ERRORS, DATABASE_OUTAGES

logger = logging.getLogger(__name__)

# Seconds between sweeps for stored updates that aren't being handled, which also retry failed updates. The pause before
# the next retry of the same update doubles each time, up to the maximum.
SWEEP_SECONDS: Final = 5.0
_MAX_RETRY_SECONDS: Final = 60.0
# Seconds to wait before another attempt to store an update after a database error. Telegram keeps it in the meantime.
_STORE_RETRY_SECONDS: Final = 1.0

Handle = Callable[[Update | Post], Awaitable[None]]
Admits = Callable[[RawUpdate], Awaitable[bool]]
OnFailure = Callable[[Sequence[int], Exception], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Retry:
    """The schedule for retrying a stored update. The next retry happens at ``due`` or later.

    The pauses between retries grow. After ``expires``, the schedule is forgotten.
    """

    due: float
    expires: float
    pause: float


class Inbox:
    """Receives updates from the webhook or long polling before they are confirmed to Telegram."""

    def __init__(
        self, bot: Bot, database: AsyncDatabase, handle: Handle, failures: FailedUpdates, admits: Admits
    ) -> None:
        self._bot = bot
        self._database = database
        self._handle = handle
        self._failures = failures
        self._admits = admits
        self._chats: dict[int | None, _ChatQueue] = {}
        self._in_progress = InProgress()
        self._retries: dict[int, _Retry] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def receive(self, payload: str) -> None:
        """Store an update, given as JSON, and schedule it to be handled. Return after the commit.

        Duplicates and updates that are not admitted are dropped. An update that cannot be stored is logged and dropped.
        """
        try:
            update = read_raw_update(payload)
            if not await self._admits(update):
                return
            await self._in_progress.wait_for_room()
            is_new = await self._store(update)
        except (UnusableUpdate, DataError) as error:
            defect = error if isinstance(error, UnusableUpdate) else "the database refuses it"
            logger.error("Dropped an update that cannot be stored: %s", defect)
            self._run(self._failures.report_dropped())
            return
        if is_new:
            RECEIVED.inc()
            if update.tap_id is not None:
                # Answer immediately, so that the app's spinner stops even if many updates are waiting in the chat.
                self._run(self._answer_tap(update.tap_id))
            self._schedule(update.update_id, payload)

    def start(self) -> None:
        """Start handling updates left over from an earlier process, and start retrying failed updates."""
        self._run(poll_every(SWEEP_SECONDS, self._sweep, "Could not read the pending updates"))

    async def stop(self) -> None:
        """Stop handling updates. Unfinished updates stay in the database for the next start."""
        tasks = [*self._background, *(chat.task for chat in self._chats.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _store(self, update: RawUpdate) -> bool:
        """Commit an update, retrying until the database accepts it. Return False for a duplicate or a blocked sender.

        Blocked people's requests about their own data are accepted too.

        Raise DataError if the database will never accept the update.
        """

        def work(unit: UnitOfWork) -> bool:
            from_anyone = is_privacy_request(update)
            return inbox.receive(
                unit, self._bot.id, update.update_id, update.sender_id, update.payload, from_anyone=from_anyone
            )

        while True:
            try:
                return await self._database.write(work)
            except DataError:
                raise
            except DATABASE_ERRORS as error:
                if not isinstance(error, DATABASE_OUTAGES):
                    logger.exception("Could not store update %d, so it is not confirmed to Telegram", update.update_id)
                await asyncio.sleep(_STORE_RETRY_SECONDS)

    def _schedule(self, update_id: int, payload: str) -> None:
        """Queue a stored update behind the earlier updates from its chat."""
        self._in_progress.add(update_id)
        try:
            update = parse_update(payload, self._bot)
            chat_id = read_raw_update(payload).chat_id
        # A broken update must not prevent others from being handled.
        except Exception as error:
            self._run(self._record_failure([update_id], error, _incoming(self._bot.id, payload)))
            return
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = _ChatQueue(
                self._handle_pieces, self._record_failure, lambda: self._chats.pop(chat_id)
            )
        chat.put(update)

    async def _handle_pieces(self, pieces: Sequence[Update]) -> None:
        with update_context(pieces[0].update_id):
            with HANDLING.time():
                await self._handle(Post(tuple(pieces)) if len(pieces) > 1 else pieces[0])
            logger.info("Handled")
        self._in_progress.remove(piece.update_id for piece in pieces)

    async def _record_failure(
        self, update_ids: Sequence[int], error: Exception, incoming: Incoming | None = None
    ) -> None:
        """Count a failed attempt. If the updates have attempts left, the sweep schedules them again."""
        try:
            await self._failures.record(update_ids, error, incoming)
        # An error here can be ignored, because the updates are still pending and are retried.
        except Exception:
            logger.exception("Could not record that handling updates %s failed", update_ids)
        finally:
            self._in_progress.remove(update_ids)

    async def _sweep(self) -> None:
        """Schedule the stored updates that aren't being handled and whose next retry isn't due later."""
        now = asyncio.get_running_loop().time()
        self._retries = {update_id: retry for update_id, retry in self._retries.items() if retry.expires > now}
        skipped = self._in_progress.ids | {update_id for update_id, retry in self._retries.items() if retry.due > now}
        for stored in await self._database.read(lambda unit: inbox.pending_updates(unit, self._bot.id, skipped)):
            if stored.update_id not in self._in_progress.ids:
                self._retries[stored.update_id] = _next_retry(self._retries.get(stored.update_id), now)
                self._schedule(stored.update_id, stored.payload)

    async def _answer_tap(self, tap_id: str) -> None:
        try:
            await self._bot.answer_callback_query(tap_id)
        except TelegramError as error:
            logger.info("Could not answer a tap: %s", error)


class _ChatQueue:
    """One chat's updates, handled in order by a task that ends when the queue is empty."""

    def __init__(
        self,
        handle: Callable[[Sequence[Update]], Awaitable[None]],
        on_failure: OnFailure,
        on_empty: Callable[[], object],
    ) -> None:
        self._handle = handle
        self._on_failure = on_failure
        self._on_empty = on_empty
        self._pending: asyncio.Queue[Update] = asyncio.Queue()
        self.task = asyncio.create_task(self._handle_all())

    def put(self, update: Update) -> None:
        self._pending.put_nowait(update)

    async def _handle_all(self) -> None:
        following: Update | None = None
        try:
            # There is no await between finding the queue empty and removing it, so no update can get lost.
            while following is not None or not self._pending.empty():
                pieces = [following or self._pending.get_nowait()]
                following = None
                try:
                    following = await self._collect(pieces)
                    await self._handle(pieces)
                # An error in one update must not block its chat.
                except Exception as error:
                    await self._on_failure([piece.update_id for piece in pieces], error)
        finally:
            self._on_empty()

    async def _collect(self, pieces: list[Update]) -> Update | None:
        """Append updates that continue the text to ``pieces``.

        Return the first update that doesn't continue the text, or None.
        """
        while may_continue(pieces):
            try:
                arrived = await asyncio.wait_for(self._pending.get(), JOIN_SECONDS)
            except TimeoutError:
                return None
            if not _continues(pieces[-1], arrived):
                return arrived
            pieces.append(arrived)
        return None


def _continues(previous: Update, update: Update) -> bool:
    try:
        return continues(previous, update)
    # PTB doesn't check types. A defect in the update is reported later, when it is handled separately.
    except Exception:
        return False


def _incoming(bot_id: int, payload: str) -> Incoming | None:
    """Return the person to apologise to if an update cannot be parsed, or None if it is not from a private chat."""
    try:
        raw = read_raw_update(payload)
    except UnusableUpdate:
        return None
    if raw.sender_id is None or raw.sender_id != raw.chat_id:
        return None
    return Incoming(bot_id, (raw.update_id,), raw.chat_id, Sender(raw.sender_id, "", None))


def _next_retry(earlier: _Retry | None, now: float) -> _Retry:
    """Return the schedule for the next retry of an update that was scheduled ``now``.

    Retries expire, so that schedules for handled updates don't pile up.
    """
    pause = SWEEP_SECONDS if earlier is None else min(2 * earlier.pause, _MAX_RETRY_SECONDS)
    return _Retry(due=now + pause, expires=now + pause + _MAX_RETRY_SECONDS, pause=pause)
