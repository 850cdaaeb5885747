"""Inline keyboards and their callback data, which must still work after a restart.

Data is ``<kind>:<number or word>[:<word>]``, well under Telegram's 64 bytes; nothing else is remembered.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

Keyboard = dict[str, Any]
# Anyone can send other data than the keyboards make, so patterns take only numbers that the database takes.
NUMBER: Final = "[0-9]{1,18}"


class TapKind(StrEnum):
    """What a tap is about; the first field of its data."""

    JUDGE = "judge"
    CONSENT = "consent"
    NOTICES = "notices"
    DELETE = "delete"
    RUN = "run"
    CARD = "card"
    MODELS = "models"
    LABEL = "label"
    SETTLE = "settle"


def make_button(text: str, data: str) -> dict[str, str]:
    """One button, and the data that its tap brings back."""
    return {"text": text, "callback_data": data}


def make_keyboard(rows: Sequence[Sequence[dict[str, str]]]) -> Keyboard:
    """Buttons in rows, as Telegram takes them."""
    return {"inline_keyboard": [list(row) for row in rows]}
