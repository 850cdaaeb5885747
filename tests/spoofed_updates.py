"""Updates by people who pretend to be an admin, as Telegram's JSON without the update id."""

from collections.abc import Iterator
from typing import Any, Final

from tests.inbox_parts import BOT_ID

Event = dict[str, Any]
ADMIN: Final = 4_100
# Ids that differ from the admin's by one, by a digit or by sign, and the ids that appear in the admin's chat.
NEAR: Final = (ADMIN - 1, ADMIN + 1, 41_000, 410, 14_100, -ADMIN, BOT_ID)
_BOT: Final = {"id": BOT_ID, "is_bot": True, "first_name": "Thumbs", "username": "thumbs_bot"}


def person(number: int) -> dict[str, Any]:
    """Return a user who has the admin's name, user name and language, but a different id."""
    return {"id": number, "is_bot": False, "first_name": "Ada", "username": "ada", "language_code": "en"}


def private(number: int) -> dict[str, Any]:
    """Return a private chat with the admin's name."""
    return {"id": number, "type": "private", "first_name": "Ada", "username": "ada"}


def message(sender: int, text: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a message. If it is a command, it has the entity that Telegram adds."""
    content = {"message_id": number, "date": 1_000, "chat": private(sender), "from": person(sender), "text": text}
    if text.startswith("/"):
        content["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
    return {**content, **fields}


def card(chat: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the message of a decision card, as the bot sent it to the admin."""
    return {"message_id": 5, "date": 900, "chat": chat, "from": _BOT, "text": "Run 1", **fields}


def tap(sender: int, data: str, shown: Event | None, **fields: Any) -> Event:
    """Return a tap on a button under ``shown``."""
    query = {"id": "?", "from": person(sender), "chat_instance": "1", "data": data, **fields}
    return {"callback_query": query if shown is None else {**query, "message": shown}}


def spoofed_commands(text: str) -> Iterator[Event]:
    """Yield updates with this command, none of them a new message that the admin wrote in their own chat."""
    stranger, group = NEAR[0], {"id": -7, "type": "supergroup", "title": "Films"}
    for sender in NEAR:
        yield {"message": message(sender, text)}
    by_admin = {"type": "user", "date": 1, "sender_user": person(ADMIN)}
    replied = card(private(stranger))
    for fields in (
        {"forward_origin": by_admin},
        {"sender_chat": private(ADMIN)},
        {"via_bot": person(ADMIN) | {"is_bot": True}},
        {"reply_to_message": replied},
        {"reply_to_message": message(ADMIN, text), "quote": {"text": text, "position": 0}},
    ):
        yield {"message": message(stranger, text, **fields)}
    # The admin forwards it, edits an earlier message into it, or sends it elsewhere or through another bot.
    yield {"message": message(ADMIN, text, forward_origin={**by_admin, "sender_user": person(stranger)})}
    yield {"message": message(ADMIN, text, via_bot=person(stranger) | {"is_bot": True})}
    yield {"message": message(ADMIN, text, sender_chat=group)}
    yield {"message": message(ADMIN, text, chat=group)}
    yield {"edited_message": message(ADMIN, text, edit_date=1_001)}
    # A message in the admin's chat by somebody else, and one in somebody else's chat.
    yield {"message": message(stranger, text, chat=private(ADMIN))}
    yield {"message": message(ADMIN, text, chat=private(stranger))}


def spoofed_taps(data: str) -> Iterator[Event]:
    """Yield taps with this data, none of which the admin made in their own chat."""
    stranger, group = NEAR[0], {"id": -7, "type": "supergroup", "title": "Films"}
    for sender in NEAR:
        yield tap(sender, data, card(private(sender)))
    for shown in (
        card(private(ADMIN)),
        card(private(stranger), sender_chat=private(ADMIN)),
        card(private(stranger), reply_to_message=card(private(ADMIN))),
        {"message_id": 5, "date": 0, "chat": private(stranger)},
        card(group),
    ):
        yield tap(stranger, data, shown)
    yield tap(ADMIN, data, card(group))
    yield tap(ADMIN, data, card(private(stranger)))
    yield tap(ADMIN, data, None, inline_message_id="x")
