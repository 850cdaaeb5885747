"""Updates in: kept in the database before Telegram is told, then handled chat by chat, in order.

Chats are handled side by side, so that the model's batches fill; within a chat one update follows another. A text
that is long enough to be the first piece of a longer one waits a moment for the next: Telegram's apps split texts.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, Update

from bot.store import Store
from config.errors import StorageError
from storage import updates

logger = logging.getLogger(__name__)

# Telegram Desktop cuts anywhere past half of the 4,096 characters, so a shorter text has no continuation.
LONG_ENOUGH: Final = 2048
# Seconds that the next piece may take; apps send the pieces in one go.
JOIN_WITHIN: Final = 1.0
# Seconds until a database that refuses a new update is asked again; Telegram keeps the update meanwhile.
_ASK_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class JoinedText:
    """Several messages that are one text, in order."""

    pieces: tuple[Update, ...]


Handle = Callable[[Update | JoinedText], Awaitable[None]]


class Inbox(asyncio.Queue[object]):
    """The queue that PTB's updater, polling or webhook, puts updates in before it confirms them to Telegram."""

    def __init__(self, bot: Bot, store: Store, handle: Handle) -> None:
        super().__init__()
        self._bot = bot
        self._store = store
        self._handle = handle
        self._chats: dict[int, _Mailbox] = {}

    async def put(self, item: object) -> None:
        """Keep an update and hand it on; returns once it is committed. A second copy is dropped."""
        if not isinstance(item, Update):
            raise TypeError(f"not an update: {item!r}")
        if await self._keep(item):
            self.hand_on(item)

    async def take_up(self) -> int:
        """At start: hand on what an earlier process left unhandled; how many there are."""
        left = await self._store.read(lambda unit: updates.unhandled(unit, self._bot.id))
        for stored in left:
            self.hand_on(update_from(stored.payload, self._bot))
        return len(left)

    def hand_on(self, update: Update) -> None:
        """Handle an update that is kept already, after those of its chat that came before."""
        chat_id = update.effective_chat.id if update.effective_chat else 0
        mailbox = self._chats.get(chat_id)
        if mailbox is None:
            mailbox = self._chats[chat_id] = _Mailbox(self._handle, lambda: self._chats.pop(chat_id))
        mailbox.put(update)

    async def stop(self) -> None:
        """Drop what is not handled yet; it is kept, and the next start takes it up."""
        tasks = [mailbox.task for mailbox in self._chats.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, update: Update) -> bool:
        sender = update.effective_user.id if update.effective_user else None
        payload = update.to_json()
        while True:
            try:
                return await self._store.write(
                    lambda unit: updates.receive(unit, self._bot.id, update.update_id, sender, payload)
                )
            except (SQLAlchemyError, StorageError):
                logger.exception("Update %d cannot be kept; it is not confirmed to Telegram", update.update_id)
                await asyncio.sleep(_ASK_AGAIN)


class _Mailbox:
    """One chat's updates, handled in order by one task, which ends when there are none left."""

    def __init__(self, handle: Handle, on_empty: Callable[[], object]) -> None:
        self._handle = handle
        self._on_empty = on_empty
        self._waiting: asyncio.Queue[Update] = asyncio.Queue()
        self.task = asyncio.create_task(self._run())

    def put(self, update: Update) -> None:
        self._waiting.put_nowait(update)

    async def _run(self) -> None:
        following: Update | None = None
        # Nothing is awaited between finding the queue empty and leaving, so no update can slip in.
        while following is not None or not self._waiting.empty():
            pieces = [following or self._waiting.get_nowait()]
            following = None
            while may_continue(pieces[-1]) and following is None:
                arrived = await self._next()
                if arrived is None:
                    break
                if continues(pieces[-1], arrived):
                    pieces.append(arrived)
                else:
                    following = arrived
            await self._handle(JoinedText(tuple(pieces)) if len(pieces) > 1 else pieces[0])
        self._on_empty()

    async def _next(self) -> Update | None:
        try:
            return await asyncio.wait_for(self._waiting.get(), JOIN_WITHIN)
        except TimeoutError:
            return None


def may_continue(update: Update) -> bool:
    """Whether an app may have split a text after this message."""
    message = update.message
    return message is not None and message.text is not None and len(message.text) >= LONG_ENOUGH


def continues(before: Update, update: Update) -> bool:
    """Whether ``update`` is the next piece of the text that ``before`` is a piece of."""
    first, second = before.message, update.message
    return (
        first is not None
        and second is not None
        and may_continue(before)
        and second.text is not None
        and not second.text.startswith("/")
        and second.from_user == first.from_user
        and (second.date - first.date).total_seconds() <= JOIN_WITHIN + 1
    )


def update_from(payload: str, bot: Bot) -> Update:
    """An update from its stored JSON."""
    return Update.de_json(json.loads(payload), bot)
