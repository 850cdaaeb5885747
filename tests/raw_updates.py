"""Builds updates as Telegram sends them, as raw JSON."""

import json
from typing import Any

from bot.buttons import TapKind

TAP = {
    "id": "x",
    "from": {"id": 7, "is_bot": False, "first_name": "Ann"},
    "chat_instance": "y",
    "data": f"{TapKind.VOTE}:1:right",
}


def message(person: int = 7, text: Any = "A fine play.", **fields: Any) -> dict[str, Any]:
    return {
        "message_id": 1,
        "date": 1_000,
        "chat": {"id": person, "type": "private"},
        "from": {"id": person, "is_bot": False, "first_name": "Ann"},
        "text": text,
        **fields,
    }


def update(number: int, chat: int = 7, text: str = "A fine play.") -> str:
    return json.dumps({"update_id": number, "message": message(chat, text)})


def command(number: int, text: str, **fields: Any) -> str:
    """Return a command as Telegram sends it."""
    entity = {"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}
    return json.dumps({"update_id": number, "message": message(text=text, entities=[entity], **fields)})


def tap(number: int, data: str) -> str:
    sender = {"id": 7, "is_bot": False, "first_name": "Ann"}
    query = {"id": str(number), "from": sender, "chat_instance": "1", "message": message(), "data": data}
    return json.dumps({"update_id": number, "callback_query": query})
