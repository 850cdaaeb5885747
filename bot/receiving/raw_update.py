"""Reads the parts of an update's JSON that the inbox needs: its ids, and its command or button tap, if any."""

import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeGuard

# Maximum number of digits to read as an integer. No id is longer, and Python refuses to read thousands of digits.
_MAX_DIGITS: Final = 30
# Ids are stored as signed 64-bit integers.
_MAX_ID: Final = 2**63 - 1


class UnusableUpdate(ValueError):
    """An update can't be stored. The message describes the defect but never quotes what people wrote."""


@dataclass(frozen=True, slots=True)
class RawUpdate:
    """An update with only its ids and its command or tap parsed. ``payload`` is the JSON.

    ``tap_id`` and ``tap_data`` are set for a tap. ``command`` is the command that a new message begins with, in lower
    case and without the slash.
    """

    update_id: int
    sender_id: int | None
    chat_id: int | None
    tap_id: str | None
    payload: str
    tap_data: str | None = None
    command: str | None = None


def is_id(value: object) -> TypeGuard[int]:
    """Return whether the database can store ``value`` as an id. PTB doesn't check types, and ``True`` is an int too."""
    return type(value) is int and -_MAX_ID - 1 <= value <= _MAX_ID


def read_raw_update(payload: str) -> RawUpdate:
    """Return the ids of the update in ``payload``. Chat and sender ids that the database cannot store are None.

    Raise UnusableUpdate if ``payload`` is not strict JSON, or not an object with a usable ``update_id``.
    """
    try:
        payload.encode()
        update = json.loads(payload, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnusableUpdate(f"it is not JSON: {type(error).__name__}") from None
    if not isinstance(update, dict):
        raise UnusableUpdate("it is not a JSON object")
    if not is_id(update.get("update_id")):
        raise UnusableUpdate("its update_id is missing or not a 64-bit integer")
    event = _event(update)
    chat = _object(event, "chat") or _object(_object(event, "message"), "chat")
    tap = _object(update, "callback_query")
    return RawUpdate(
        update["update_id"],
        _sender_id(event, chat),
        _id(chat),
        _string(tap, "id"),
        payload,
        _string(tap, "data"),
        _command(_object(update, "message")),
    )


def read_response(response: bytes) -> object:
    """Parse a Bot API response so that one overlong number does not hide the other updates.

    Raise ValueError or RecursionError if the response is not JSON.
    """
    read: object = json.loads(response.decode(errors="replace"), parse_int=_integer)
    return read


def _event(update: dict[str, Any]) -> dict[str, Any]:
    """Return the message, tap or other event in an update, which is the only field that can have a sender or a chat."""
    events = [value for value in update.values() if isinstance(value, dict)]
    return events[0] if events else {}


def _sender_id(event: dict[str, Any], chat: dict[str, Any]) -> int | None:
    """Return the id of the person who caused the event. A private chat has the same id as the person."""
    sender = _id(_object(event, "from"))
    if sender is None:
        sender = _id(_object(event, "user"))
    if sender is None and chat.get("type") == "private":
        sender = _id(chat)
    return sender


def _command(message: dict[str, Any]) -> str | None:
    """Return the command at the start of a message, as PTB recognises it, or None if there is none."""
    text, entities = _string(message, "text"), message.get("entities")
    first = entities[0] if isinstance(entities, list) and entities else None
    if text is None or not isinstance(first, dict) or (first.get("type"), first.get("offset")) != ("bot_command", 0):
        return None
    length = first.get("length")
    return text[1:length].lower() if is_id(length) else None


def _string(parent: dict[str, Any], name: str) -> str | None:
    value = parent.get(name)
    return value if isinstance(value, str) else None


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _id(owner: dict[str, Any]) -> int | None:
    value = owner.get("id")
    return value if is_id(value) else None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise UnusableUpdate(f"it contains {name}")
