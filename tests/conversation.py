"""A person's chat with a bot that has all its handlers, a real database, and a model that looks for one word."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, cast

from telegram import Update
from telegram.ext import ApplicationBuilder

from bot.access import Access
from bot.all_handlers import all_handlers
from bot.database import AsyncDatabase
from bot.receiving.inbox import Inbox
from bot.receiving.message_parts import Post
from bot.receiving.update_parsing import updates_in
from bot.serving.live_model import LiveModel
from core.settings import Settings
from ml.serving.engine import Verdict
from ml.text.word_counts import WordCounts
from storage.chat import outbox
from storage.db.database import Database, UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow
from storage.models.registry import register
from tests.inbox_parts import BOT, BOT_ID, make_failures, make_inbox

PERSON = 7
VERSION = "v-1"
_SECONDS = 20.0


class _WordModel:
    """Classifies texts with the word "dull" as negative, and all others as positive. "quokkazzle" is unknown to it."""

    async def verdict(self, text: str) -> Verdict:
        negative = "dull" in text
        logits = (1.0, -1.0) if negative else (-1.0, 1.0)
        words = text.split()
        counts = WordCounts(len(words), sum(word == "quokkazzle" for word in words))
        return Verdict("Negative" if negative else "Positive", 0.9, True, 1, logits, VERSION, counts=counts)


class Conversation:
    """Sends updates to the inbox, and applies the bot's replies to the chat."""

    def __init__(self, database: AsyncDatabase, handled: "asyncio.Queue[tuple[int, ...]]", inbox: Inbox) -> None:
        self.database = database
        self.shown: dict[int, dict[str, Any]] = {}
        """The bot's messages with their payloads, in order."""
        self._handled = handled
        self._inbox = inbox
        self._updates, self._messages = count(1), count(1)

    async def send(self, *contents: dict[str, Any], person: int = PERSON) -> list[int]:
        """Send messages with these fields all at once, wait until they are handled, and return their ids."""
        numbers = [next(self._messages) for _ in contents]
        await self._handle([
            {"message": _message(number, content, person)} for number, content in zip(numbers, contents, strict=True)
        ])  # fmt: skip
        return numbers

    async def write(self, text: str, person: int = PERSON) -> int:
        """Send a text or a command, and return the message's id."""
        return (await self.send(_text(text), person=person))[0]

    async def edit(self, number: int, content: dict[str, Any], person: int = PERSON) -> None:
        """Replace a message's content."""
        await self._handle([{"edited_message": _message(number, {**content, "edit_date": 1_001}, person)}])

    async def tap(self, label: str, person: int = PERSON, number: int | None = None) -> dict[str, Any]:
        """Tap the button with this label, by default in the newest message that has it. Return the edited payload."""
        numbers = [number] if number is not None else [one for one in self.shown if label in self.buttons(one)]
        data = self.buttons(numbers[-1])[label]
        sender = {"id": BOT_ID, "is_bot": True, "first_name": "Thumbs"}
        message = _message(numbers[-1], {"text": "shown", "from": sender}, person)
        tap = {"id": "x", "from": _user(person), "chat_instance": "y", "data": data, "message": message}
        await self._handle([{"callback_query": tap}])
        return self.shown[numbers[-1]]

    def buttons(self, number: int) -> dict[str, str]:
        """Return the data of each button under one of the bot's messages, by label."""
        rows = self.shown[number].get("reply_markup", {}).get("inline_keyboard", [])
        return {button["text"]: button["callback_data"] for row in rows for button in row}

    @property
    def newest(self) -> dict[str, Any]:
        """The payload of the bot's newest message."""
        return self.shown[max(self.shown)]

    async def _handle(self, events: list[dict[str, Any]]) -> None:
        pending = {next(self._updates): event for event in events}
        for number, event in pending.items():
            await self._inbox.receive(json.dumps({"update_id": number, **event}))
        left = set(pending)
        while left:
            left -= set(await asyncio.wait_for(self._handled.get(), _SECONDS))
        await self.database.write(lambda unit: self._deliver(unit, set(pending)))

    def _deliver(self, unit: UnitOfWork, update_ids: set[int]) -> None:
        for number in update_ids:
            row = unit.get(UpdateRow, (BOT_ID, number))
            assert row is not None
            assert row.state is UpdateState.HANDLED, f"update {number} is {row.state}"
        for chat in outbox.pending_chats(unit, BOT_ID):
            while (reply := outbox.claim_next(unit, BOT_ID, chat)) is not None:
                number = reply.telegram_message_id or next(self._messages)
                self.shown[number] = reply.payload
                outbox.mark_sent(unit, reply.id, number)


@asynccontextmanager
async def conversation(database: Database, folder: Path, **settings: Any) -> AsyncIterator[Conversation]:
    """Yield a conversation with a bot whose model is registered. ``folder`` is its data folder."""
    chosen = Settings(**{"question_chance": 0, "data_dir": folder, "_env_file": None, **settings})
    store = AsyncDatabase(database)
    await store.write(lambda unit: register(unit, VERSION, "0" * 64, "models/v-1"))
    application = ApplicationBuilder().bot(BOT).updater(None).build()
    model = cast("LiveModel", _WordModel())
    application.add_handlers(all_handlers(chosen, store, model, Access(chosen.admin_ids)))
    application.add_error_handler(make_failures(store).on_error)
    await application.initialize()
    handled: asyncio.Queue[tuple[int, ...]] = asyncio.Queue()

    async def handle(update: Update | Post) -> None:
        await application.process_update(update)
        handled.put_nowait(tuple(piece.update_id for piece in updates_in(update)))

    inbox = make_inbox(store, handle)
    yield Conversation(store, handled, inbox)
    await inbox.stop()


def _text(text: str) -> dict[str, Any]:
    if not text.startswith("/"):
        return {"text": text}
    length = len(text.partition(" ")[0])
    return {"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": length}]}


def _user(person: int) -> dict[str, Any]:
    return {"id": person, "is_bot": False, "first_name": "Ann", "language_code": "en"}


def _message(number: int, content: dict[str, Any], person: int) -> dict[str, Any]:
    chat = {"id": person, "type": "private", "first_name": "Ann"}
    return {"message_id": number, "date": 1_000, "chat": chat, "from": _user(person), **content}
