"""Stores updates before confirming them to Telegram, then handles them chat by chat, in order.

Different chats are handled concurrently, so that the model's batches fill up. Within a chat, updates are handled one at
a time. If a handler fails, the update stays in the database, and a periodic sweep retries it.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from telegram import Bot, CallbackQuery, Update
from telegram.error import TelegramError

from bot.database import DATABASE_ERRORS, AsyncDatabase
from bot.polling import poll_every
from bot.transport.message_parts import JOIN_SECONDS, JoinedText, continues, may_continue
from storage.chat import inbox
from storage.chat.inbox import StoredUpdate

logger = logging.getLogger(__name__)

# Seconds between sweeps for stored updates that aren't being handled, which also retry failed updates.
SWEEP_SECONDS: Final = 5.0
# Seconds to wait before another attempt to store an update after a database error. Telegram keeps it meanwhile.
_STORE_RETRY_SECONDS: Final = 1.0

Handle = Callable[[Update | JoinedText], Awaitable[None]]


class Inbox(asyncio.Queue[object]):
    """The queue that PTB's updater (polling or webhook) puts updates into before it confirms them to Telegram."""

    def __init__(self, bot: Bot, database: AsyncDatabase, handle: Handle) -> None:
        super().__init__()
        self._bot = bot
        self._database = database
        self._handle = handle
        self._chats: dict[int, _ChatQueue] = {}
        self._in_progress: set[int] = set()
        self._background: set[asyncio.Task[None]] = set()

    async def put(self, item: object) -> None:
        """Store an update and schedule its handling. Return after the commit. Drop duplicates."""
        if not isinstance(item, Update):
            raise TypeError(f"not an update: {item!r}")
        if await self._store(item):
            if item.callback_query is not None:
                # Answer immediately, so that the app's spinner stops even if many updates are waiting in the chat.
                self._run(_answer(item.callback_query))
            self._schedule(item)

    def start(self) -> None:
        """Start handling updates left by an earlier process, and retrying failed updates."""
        self._run(poll_every(SWEEP_SECONDS, self._sweep, "Could not read the pending updates"))

    async def stop(self) -> None:
        """Stop handling updates. Those that aren't finished stay in the database for the next start."""
        tasks = [*self._background, *(chat.task for chat in self._chats.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _schedule(self, update: Update) -> None:
        """Queue a stored update behind the earlier updates from its chat."""
        self._in_progress.add(update.update_id)
        chat_id = update.effective_chat.id if update.effective_chat else 0
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = _ChatQueue(self._handle_pieces, lambda: self._chats.pop(chat_id))
        chat.put(update)

    async def _handle_pieces(self, pieces: tuple[Update, ...]) -> None:
        try:
            await self._handle(JoinedText(pieces) if len(pieces) > 1 else pieces[0])
        # An error in one update must not stop its chat. The update is stored, so the sweep retries it.
        except Exception:
            logger.exception("Handling updates %s failed", [piece.update_id for piece in pieces])
        finally:
            self._in_progress.difference_update(piece.update_id for piece in pieces)

    async def _sweep(self) -> None:
        """Schedule the stored updates that aren't being handled."""
        for stored in await self._database.read(lambda unit: inbox.pending_updates(unit, self._bot.id)):
            if stored.update_id not in self._in_progress:
                await self._schedule_stored(stored)

    async def _schedule_stored(self, stored: StoredUpdate) -> None:
        try:
            update = Update.de_json(json.loads(stored.payload), self._bot)
        # An update that PTB can no longer parse must not break every sweep, so it is set aside after a few attempts.
        except Exception as error:
            logger.exception("Could not parse stored update %d", stored.update_id)
            reason = repr(error)
            await self._database.write(lambda unit: inbox.fail(unit, self._bot.id, stored.update_id, reason))
        else:
            self._schedule(update)

    async def _store(self, update: Update) -> bool:
        """Commit an update, retrying until the database accepts it. Return False for a duplicate."""
        sender = update.effective_user.id if update.effective_user else None
        payload = update.to_json()
        while True:
            try:
                return await self._database.write(
                    lambda unit: inbox.receive(unit, self._bot.id, update.update_id, sender, payload)
                )
            except DATABASE_ERRORS:
                logger.exception("Could not store update %d, so it is not confirmed to Telegram", update.update_id)
                await asyncio.sleep(_STORE_RETRY_SECONDS)


class _ChatQueue:
    """One chat's updates, handled in order by a task that ends when the queue is empty."""

    def __init__(self, handle: Callable[[tuple[Update, ...]], Awaitable[None]], on_empty: Callable[[], object]) -> None:
        self._handle = handle
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
                following = await self._collect(pieces)
                await self._handle(tuple(pieces))
        finally:
            self._on_empty()

    async def _collect(self, pieces: list[Update]) -> Update | None:
        """Append updates that continue the text to ``pieces``. Return the first update that doesn't, or None."""
        while may_continue(pieces):
            try:
                arrived = await asyncio.wait_for(self._pending.get(), JOIN_SECONDS)
            except TimeoutError:
                return None
            if not continues(pieces[-1], arrived):
                return arrived
            pieces.append(arrived)
        return None


async def _answer(query: CallbackQuery) -> None:
    try:
        await query.answer()
    except TelegramError as error:
        logger.info("Could not answer a tap: %s", error)
