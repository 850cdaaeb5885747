"""``/id`` tells anyone their numeric Telegram id in a private chat."""

from typing import Any, cast

import pytest
from telegram import Update

from bot.access import Access, Handler
from bot.database import AsyncDatabase
from bot.reviews.handlers import ReviewHandlers
from storage.chat import inbox, outbox
from storage.db.database import Database
from tests.inbox_parts import BOT, BOT_ID

PERSON = 5_123_456_789


def command(kind: str = "message", chat: dict[str, Any] | None = None) -> Update:
    message = {
        "message_id": 1,
        "date": 1_000,
        "chat": chat or {"id": PERSON, "type": "private"},
        "from": {"id": PERSON, "is_bot": False, "first_name": "Ann", "language_code": "en"},
        "text": "/id",
        "entities": [{"type": "bot_command", "offset": 0, "length": 3}],
    }
    update = Update.de_json({"update_id": 1, kind: message}, BOT)
    assert update is not None
    return update


def handler_of(handlers: ReviewHandlers, update: Update) -> Handler:
    return next(handler for handler in handlers.handlers() if handler.check_update(update) not in (None, False))


async def test_a_person_gets_their_id_and_learns_where_it_goes(database: Database) -> None:
    store = AsyncDatabase(database)
    handlers = ReviewHandlers(Access([]), store, *[cast("Any", None)] * 3)
    update = command()
    await store.write(lambda unit: inbox.receive(unit, BOT_ID, 1, PERSON, update.to_json()))
    await handler_of(handlers, update).callback(update, cast("Any", None))
    reply = await store.write(lambda unit: outbox.claim_next(unit, BOT_ID, PERSON))
    assert reply is not None
    assert f"<code>{PERSON}</code>" in reply.payload["text"]
    assert "ADMIN_IDS" in reply.payload["text"]
    assert await store.read(lambda unit: inbox.pending_updates(unit, BOT_ID)) == []


@pytest.mark.parametrize(
    "update",
    [command(chat={"id": -100, "type": "supergroup", "title": "Film club"}), command("edited_message")],
    ids=["group", "edited"],
)
def test_nobody_is_answered_elsewhere(database: Database, update: Update) -> None:
    handlers = ReviewHandlers(Access([]), AsyncDatabase(database), *[cast("Any", None)] * 3)
    assert handler_of(handlers, update).callback == handlers.ignore
