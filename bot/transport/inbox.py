"""Updates in: kept in the database before Telegram is told, then handled chat by chat, in order.

Chats are handled side by side, so that the model's batches fill; within a chat one update follows another. An update
whose handling failed stays in the database, and a sweep hands it on again.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, CallbackQuery, Update
from telegram.error import TelegramError

from bot.database import AsyncDatabase
from bot.transport.message_parts import JOIN_WITHIN, JoinedText, continues, may_continue
from storage.chat import inbox
from storage.chat.inbox import StoredUpdate
from storage.errors import StorageError

logger = logging.getLogger(__name__)

# Seconds between two looks for updates that wait and that nobody handles; the pause before a failed one's next try.
SWEEP_EVERY: Final = 5.0
# Seconds until a database that refuses a new update is asked again; Telegram keeps the update meanwhile.
_ASK_AGAIN = 1.0

Handle = Callable[[Update | JoinedText], Awaitable[None]]


class Inbox(asyncio.Queue[object]):
    """The queue that PTB's updater, polling or webhook, puts updates in before it confirms them to Telegram."""

    def __init__(self, bot: Bot, store: AsyncDatabase, handle: Handle) -> None:
        super().__init__()
        self._bot = bot
        self._store = store
        self._handle = handle
        self._chats: dict[int, _Mailbox] = {}
        self._held: set[int] = set()
        self._background: set[asyncio.Task[None]] = set()

    async def put(self, item: object) -> None:
        """Keep an update and hand it on; returns once it is committed. A second copy is dropped."""
        if not isinstance(item, Update):
            raise TypeError(f"not an update: {item!r}")
        if await self._keep(item):
            if item.callback_query is not None:
                # At once, so that the app stops its spinner, however long the chat's line is.
                self._run(_answer(item.callback_query))
            self._hand_on(item)

    def start(self) -> None:
        """Hand on what an earlier process left, and from now on what a failure leaves."""
        self._run(self._sweep())

    async def stop(self) -> None:
        """Drop what is not handled yet; it is kept, and the next start takes it up."""
        tasks = [*self._background, *(mailbox.task for mailbox in self._chats.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _hand_on(self, update: Update) -> None:
        """Handle an update that is kept already, after those of its chat that came before."""
        self._held.add(update.update_id)
        chat_id = update.effective_chat.id if update.effective_chat else 0
        mailbox = self._chats.get(chat_id)
        if mailbox is None:
            mailbox = self._chats[chat_id] = _Mailbox(self._handled, lambda: self._chats.pop(chat_id))
        mailbox.put(update)

    async def _handled(self, pieces: tuple[Update, ...]) -> None:
        try:
            await self._handle(JoinedText(pieces) if len(pieces) > 1 else pieces[0])
        # A fault of one text must not end its chat's line; the update is kept, and the sweep hands it on again.
        except Exception:
            logger.exception("Handling %s failed", [piece.update_id for piece in pieces])
        finally:
            self._held.difference_update(piece.update_id for piece in pieces)

    async def _sweep(self) -> None:
        while True:
            try:
                for stored in await self._store.read(lambda unit: inbox.pending_updates(unit, self._bot.id)):
                    if stored.update_id not in self._held:
                        await self._take_up(stored)
            except (SQLAlchemyError, StorageError):
                logger.exception("The updates that wait cannot be read now")
            await asyncio.sleep(SWEEP_EVERY)

    async def _take_up(self, stored: StoredUpdate) -> None:
        try:
            update = Update.de_json(json.loads(stored.payload), self._bot)
        # Whatever PTB cannot read any more must not stop every start; it is set aside after a few tries.
        except Exception as error:
            logger.exception("Update %d cannot be read", stored.update_id)
            reason = repr(error)
            await self._store.write(lambda unit: inbox.fail(unit, self._bot.id, stored.update_id, reason))
        else:
            self._hand_on(update)

    async def _keep(self, update: Update) -> bool:
        sender = update.effective_user.id if update.effective_user else None
        payload = update.to_json()
        while True:
            try:
                return await self._store.write(
                    lambda unit: inbox.receive(unit, self._bot.id, update.update_id, sender, payload)
                )
            except (SQLAlchemyError, StorageError):
                logger.exception("Update %d cannot be kept; it is not confirmed to Telegram", update.update_id)
                await asyncio.sleep(_ASK_AGAIN)


class _Mailbox:
    """One chat's updates, handled in order by one task, which ends when there are none left."""

    def __init__(self, handle: Callable[[tuple[Update, ...]], Awaitable[None]], on_empty: Callable[[], object]) -> None:
        self._handle = handle
        self._on_empty = on_empty
        self._waiting: asyncio.Queue[Update] = asyncio.Queue()
        self.task = asyncio.create_task(self._serve())

    def put(self, update: Update) -> None:
        self._waiting.put_nowait(update)

    async def _serve(self) -> None:
        following: Update | None = None
        try:
            # Nothing is awaited between finding the line empty and leaving, so no update can slip in.
            while following is not None or not self._waiting.empty():
                pieces = [following or self._waiting.get_nowait()]
                following = await self._gather(pieces)
                await self._handle(tuple(pieces))
        finally:
            self._on_empty()

    async def _gather(self, pieces: list[Update]) -> Update | None:
        """Add the updates that go on with the first to ``pieces``; the one that came instead, if any."""
        while may_continue(pieces):
            try:
                arrived = await asyncio.wait_for(self._waiting.get(), JOIN_WITHIN)
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
        logger.info("A tap was not answered: %s", error)
