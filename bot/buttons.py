"""Inline keyboards and their callback data, which stays valid across restarts.

Data is ``<kind>:<number or word>[:<word>]``, well under Telegram's 64 bytes, and is the only state a button has.
Buttons in old chats keep sending the data that they were made with, so kinds and words must never change.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

Keyboard = dict[str, Any]
# Clients can send forged data, so patterns accept only numbers that fit the database's columns.
NUMBER: Final = "[0-9]{1,18}"


class TapKind(StrEnum):
    """What a tap is about: the first field of its callback data."""

    VOTE = "judge"
    CONSENT = "consent"
    NOTICES = "notices"
    DELETE = "delete"
    RUN = "run"
    CARD = "card"
    MODELS = "models"
    LABEL = "label"
    QUARANTINE = "settle"


def make_button(text: str, data: str) -> dict[str, str]:
    """Return a button that shows ``text`` and sends ``data`` when tapped."""
    return {"text": text, "callback_data": data}


def make_keyboard(rows: Sequence[Sequence[dict[str, str]]]) -> Keyboard:
    """Return rows of buttons in Telegram's format."""
    return {"inline_keyboard": [list(row) for row in rows]}
