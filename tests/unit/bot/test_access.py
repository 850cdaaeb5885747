"""Only an admin's own new messages and taps in a private chat are allowed, not forwards or messages sent via a bot."""

from typing import Any

import pytest
from telegram import Update
from telegram.ext import CommandHandler

from bot.access import Access

ADMIN, OTHER = 11, 12
ACCESS = Access([ADMIN])
PRIVATE = {"id": ADMIN, "type": "private"}


def person(number: int) -> dict[str, Any]:
    return {"id": number, "is_bot": False, "first_name": "Ada"}


def message(sender: int = ADMIN, **fields: Any) -> dict[str, Any]:
    return {
        "message_id": 5,
        "date": 1,
        "chat": {"id": sender, "type": "private"},
        "from": person(sender),
        "text": "/retrain",
        "entities": [{"type": "bot_command", "offset": 0, "length": 8}],
        **fields,
    }


def update(kind: str, content: dict[str, Any]) -> Update:
    return Update.de_json({"update_id": 1, kind: content}, None)


def tap(sender: int = ADMIN, **fields: Any) -> dict[str, Any]:
    bot = {"id": 900, "is_bot": True, "first_name": "Thumbs"}
    under = {"message_id": 6, "date": 1, "chat": PRIVATE, "from": bot, "text": "Run 1"}
    return {"id": "1", "from": person(sender), "chat_instance": "1", "data": "run:1:cancel", "message": under, **fields}


def test_an_admins_message_and_tap_are_allowed() -> None:
    assert ACCESS.allows(update("message", message()))
    assert ACCESS.allows(update("callback_query", tap()))


@pytest.mark.parametrize(
    "content",
    [
        message(OTHER),
        message(chat={"id": -5, "type": "group", "title": "Friends"}),
        message(chat={"id": OTHER, "type": "private"}),
        message(sender_chat={"id": -6, "type": "channel", "title": "News"}),
        message(forward_origin={"type": "user", "date": 1, "sender_user": person(ADMIN)}),
        message(forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": "Ada"}),
        message(via_bot={"id": 77, "is_bot": True, "first_name": "Other"}),
        message(edit_date=2),
    ],
)
def test_a_message_that_is_not_an_admins_own_is_not_allowed(content: dict[str, Any]) -> None:
    assert not ACCESS.allows(update("message", content))


def test_an_edited_message_is_not_allowed() -> None:
    assert not ACCESS.allows(update("edited_message", message()))
    assert not ACCESS.allows(update("edited_message", message(edit_date=2)))


@pytest.mark.parametrize(
    "content",
    [
        tap(OTHER),
        tap(message=None),
        tap(message=None, inline_message_id="x"),
        tap(message={"message_id": 6, "date": 1, "chat": {"id": -5, "type": "group", "title": "Friends"}}),
        tap(message={"message_id": 6, "date": 1, "chat": {"id": OTHER, "type": "private"}}),
    ],
)
def test_a_tap_by_someone_else_or_elsewhere_is_not_allowed(content: dict[str, Any]) -> None:
    assert not ACCESS.allows(update("callback_query", content))


@pytest.mark.parametrize("other", [None, "update", 11])
def test_anything_but_an_update_is_not_allowed(other: object) -> None:
    assert not ACCESS.allows(other)


def test_without_admins_nobody_is_allowed() -> None:
    assert not Access([]).allows(update("message", message()))


async def _never(_: object, __: object) -> None:
    raise AssertionError("the handler must not be called")


def test_a_guarded_handler_matches_admins_only() -> None:
    class Bot:
        username = "thumbs"

    handler = ACCESS.guard(CommandHandler("retrain", _never))
    for sender, matches in ((ADMIN, True), (OTHER, False)):
        asked = update("message", message(sender))
        asked.message.set_bot(Bot())  # type: ignore[union-attr,arg-type]  # the handler needs only the bot's name
        assert (handler.check_update(asked) not in (None, False)) is matches
