"""Inline keyboards and their callback data, which stays valid across restarts.

A button's only state is its callback data, ``<kind>:<number or word>[:<word>]``, well under Telegram's limit of 64
bytes. Old buttons keep sending the data that they were created with, so kinds and words must never change.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

Keyboard = dict[str, Any]
# Clients can send forged data, so patterns accept only numbers that fit the database's columns.
NUMBER: Final = "[0-9]{1,18}"


class TapKind(StrEnum):
    """The kind of a tap, which is the first field of its callback data."""

    VOTE = "judge"
    CORRECTED = "people"
    REASON = "why"
    QUESTION = "ask"
    EXPLANATION = "explain"
    ABSTENTION = "sense"
    CONSENT = "consent"
    NOTICES = "notices"
    DELETE = "delete"
    HISTORY = "history"
    SETTINGS = "settings"
    RUN = "run"
    CARD = "card"
    MODELS = "models"
    LABEL = "label"
    JOIN = "join"
    QUARANTINE = "settle"
    VOTERS = "who"


class ButtonStyle(StrEnum):
    """A button's colour. PRIMARY is for what people most likely want, and DANGER for what they can't undo."""

    PRIMARY = "primary"
    DANGER = "danger"


def make_button(text: str, data: str, style: ButtonStyle | None = None) -> dict[str, str]:
    """Return a button that shows ``text``, in the colour of ``style``, and sends ``data`` when tapped."""
    button = {"text": text, "callback_data": data}
    return button if style is None else {**button, "style": style.value}


def make_keyboard(rows: Sequence[Sequence[dict[str, str]]]) -> Keyboard:
    """Return rows of buttons in Telegram's format."""
    return {"inline_keyboard": [list(row) for row in rows]}
