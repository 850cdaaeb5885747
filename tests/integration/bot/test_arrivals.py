"""A person's tap on an uncertain reply, or their answer to it, shows that it arrived after all."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from telegram import Bot, Update
from telegram.request import HTTPXRequest

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender
from bot.sending.arrivals import Arrivals
from bot.sending.outbox import Outbox
from bot.sending.replies import MessageContent, reply
from storage.chat import outbox as stored_outbox
from storage.chat import undelivered
from storage.db.database import Database, UnitOfWork
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow

BOT, CHAT, QUESTION = 900, 7, 40
NOTE = "This replaces my earlier reply."


class Wire:
    """Acts as Telegram and records every call. While ``lossy``, the response to a call gets lost."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.lossy = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2]
        if method == "getMe":
            me = {"id": BOT, "is_bot": True, "first_name": "Thumbs"}
            return httpx.Response(200, json={"ok": True, "result": me})
        self.calls.append((method, dict(httpx.QueryParams(request.read().decode()))))
        if self.lossy:
            raise httpx.ReadTimeout("no answer")
        message = {"message_id": 50 + len(self.calls), "date": 1, "chat": {"id": CHAT, "type": "private"}, "text": "a"}
        return httpx.Response(200, json={"ok": True, "result": message})


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]) -> Iterator[AsyncDatabase]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    opened = AsyncDatabase(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
    yield opened
    opened.close()


class Conversation:
    """A bot, one person's chat with it, and the wire between them."""

    def __init__(self, store: AsyncDatabase, *, retry_uncertain: bool = False) -> None:
        self.store, self.wire = store, Wire()
        request = HTTPXRequest(httpx_kwargs={"transport": httpx.MockTransport(self.wire)})
        self.bot = Bot(f"{BOT}:wire", request=request)
        self.outbox = Outbox(self.bot, store, retry_uncertain=retry_uncertain)
        self.arrivals = Arrivals(store)

    async def answer(self, label: str, prediction: int | None) -> None:
        """Enqueue a reply to the question, or an edit to the earlier reply, and send pending replies."""
        incoming = Incoming(BOT, (), CHAT, Sender(CHAT, "Ann", "en"))
        buttons = [[{"text": "Right", "callback_data": f"judge:{prediction}:right"}]]
        keyboard = {"inline_keyboard": buttons} if prediction is not None else None
        content = MessageContent(f"<b>{label}</b> · &lt;90%&gt;", keyboard)
        await self.store.write(lambda unit: reply(unit, incoming, QUESTION, content))
        await self.send()

    async def send(self) -> None:
        await self.bot.initialize()
        while await self.outbox.send_next(CHAT) is not None:
            pass

    async def lose_answer(self, label: str, prediction: int | None) -> None:
        self.wire.lossy = True
        await self.answer(label, prediction)
        self.wire.lossy = False

    async def tap(self, message_id: int, prediction: int) -> None:
        query = {
            "id": "1",
            "from": {"id": CHAT, "is_bot": False, "first_name": "Ann"},
            "chat_instance": "1",
            "data": f"judge:{prediction}:right",
            "message": {"message_id": message_id, "date": 0, "chat": {"id": CHAT, "type": "private"}},
        }
        await self._note({"update_id": 1, "callback_query": query})

    async def reply_to(self, message_id: int, text: str, prediction: int | None = None) -> None:
        chat = {"id": CHAT, "type": "private"}
        replied: dict[str, Any] = {"message_id": message_id, "date": 1, "chat": chat, "text": text}
        replied["from"] = {"id": BOT, "is_bot": True, "first_name": "Thumbs"}
        if prediction is not None:
            button = {"text": "Right", "callback_data": f"judge:{prediction}:right"}
            replied["reply_markup"] = {"inline_keyboard": [[button]]}
        message = {"message_id": 90, "date": 2, "chat": chat, "text": "Why?", "reply_to_message": replied}
        message["from"] = {"id": CHAT, "is_bot": False, "first_name": "Ann"}
        await self._note({"update_id": 2, "message": message})

    async def _note(self, update: dict[str, Any]) -> None:
        parsed = Update.de_json(update, self.bot)
        assert parsed is not None
        await self.arrivals.note(parsed)
        await self.send()

    async def replies(self) -> list[tuple[ReplyState, int | None]]:
        def work(unit: UnitOfWork) -> list[tuple[ReplyState, int | None]]:
            rows = unit.execute(select(ReplyRow.state, ReplyRow.telegram_message_id).order_by(ReplyRow.id))
            return [(state, message_id) for state, message_id in rows]

        return await self.store.read(work)


@pytest.fixture
def chat(store: AsyncDatabase) -> Conversation:
    return Conversation(store)


async def test_the_answer_to_an_edited_text_says_that_it_replaces_an_uncertain_one(chat: Conversation) -> None:
    await chat.lose_answer("Positive", 1)
    await chat.answer("Negative", 2)
    method, sent = chat.wire.calls[-1]
    assert method == "sendMessage"
    assert sent["text"].endswith(f"\n\n<i>{NOTE}</i>")
    await chat.answer("Positive", 3)
    method, sent = chat.wire.calls[-1]
    assert method == "editMessageText"
    assert NOTE not in sent["text"]
    assert "replacement_note" not in sent


async def test_an_answer_that_was_sent_is_edited_without_the_sentence(chat: Conversation) -> None:
    await chat.answer("Positive", 1)
    await chat.answer("Negative", 2)
    assert [method for method, _ in chat.wire.calls] == ["sendMessage", "editMessageText"]
    assert NOTE not in chat.wire.calls[-1][1]["text"]


async def test_a_tap_reveals_that_an_uncertain_answer_arrived(chat: Conversation) -> None:
    await chat.lose_answer("Positive", 1)
    await chat.tap(45, 1)
    assert await chat.replies() == [(ReplyState.SENT, 45)]
    await chat.answer("Negative", 2)
    method, edited = chat.wire.calls[-1]
    assert (method, edited["message_id"]) == ("editMessageText", "45")


async def test_a_reply_reveals_an_uncertain_answer_without_buttons_by_its_text(chat: Conversation) -> None:
    await chat.lose_answer("Positive", None)
    await chat.reply_to(45, "Something else")
    assert await chat.replies() == [(ReplyState.UNCERTAIN, None)]
    await chat.reply_to(45, "Positive · <90%>")
    assert await chat.replies() == [(ReplyState.SENT, 45)]


@pytest.mark.parametrize("by_tap", [True, False])
async def test_a_replaced_answer_that_arrived_is_edited_to_the_current_verdict(
    chat: Conversation, by_tap: bool
) -> None:
    await chat.lose_answer("Positive", 1)
    await chat.answer("Negative", 2)
    if by_tap:
        await chat.tap(45, 1)
    else:
        await chat.reply_to(45, "Positive", 1)
    method, edited = chat.wire.calls[-1]
    assert (method, edited["message_id"]) == ("editMessageText", "45")
    assert edited["text"] == "<b>Negative</b> · &lt;90%&gt;"
    assert "judge:2:right" in edited["reply_markup"]
    assert await chat.replies() == [(ReplyState.SENT, 45), (ReplyState.SENT, 52), (ReplyState.SENT, 45)]


async def test_a_known_message_reveals_nothing(chat: Conversation) -> None:
    await chat.lose_answer("Positive", None)
    await chat.store.write(
        lambda unit: stored_outbox.enqueue(unit, stored_outbox.Draft(BOT, CHAT, {"text": "Positive · <90%>"}, edits=45))
    )
    await chat.send()
    await chat.reply_to(45, "Positive · <90%>")
    assert (await chat.replies())[0] == (ReplyState.UNCERTAIN, None)


async def test_a_repeated_tap_changes_nothing_more(chat: Conversation) -> None:
    await chat.lose_answer("Positive", 1)
    await chat.answer("Negative", 2)
    await chat.tap(45, 1)
    calls = len(chat.wire.calls)
    await chat.tap(45, 1)
    await chat.tap(46, 1)
    assert len(chat.wire.calls) == calls


async def test_uncertain_replies_are_sent_again_if_the_setting_says_so(store: AsyncDatabase) -> None:
    chat = Conversation(store, retry_uncertain=True)
    await chat.lose_answer("Positive", 1)
    assert [method for method, _ in chat.wire.calls] == ["sendMessage"] * 3
    assert await chat.replies() == [(ReplyState.UNCERTAIN, None)]
    await chat.outbox.start()
    await chat.outbox.stop()
    await chat.send()
    assert await chat.replies() == [(ReplyState.SENT, 54)]


async def test_a_replaced_reply_is_not_sent_again(store: AsyncDatabase) -> None:
    chat = Conversation(store)
    await chat.lose_answer("Positive", 1)
    await chat.answer("Negative", 2)
    assert await store.write(lambda unit: undelivered.retry_uncertain(unit, BOT)) == 0
