"""The buttons under /history, which page through a person's messages and delete individual ones."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, ButtonStyle, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts, fill
from storage.chat.history import HistoryPage


class HistoryAction(StrEnum):
    """A tap's action: show the page before, after or FROM a message, ask about deleting the message, or DELETE it."""

    OLDER = "older"
    NEWER = "newer"
    FROM = "from"
    ASK = "ask"
    DELETE = "delete"


HISTORY_PATTERN: Final = rf"^{TapKind.HISTORY}:{NUMBER}:({'|'.join(HistoryAction)})\Z"


@dataclass(frozen=True, slots=True)
class HistoryTap:
    """A tap under /history."""

    message_id: int
    action: HistoryAction


def parse_history_tap(data: str) -> HistoryTap:
    """Parse data that matches HISTORY_PATTERN."""
    _, message_id, action = data.split(":")
    return HistoryTap(int(message_id), HistoryAction(action))


def page_keyboard(texts: Texts, page: HistoryPage) -> Keyboard | None:
    """Return a button to delete each message on the page, and buttons for the neighbouring pages, if any."""
    if not page.entries:
        return None
    deletes = [
        history_button(fill(texts.button_history_delete, number=number), entry.message.id, HistoryAction.ASK)
        for number, entry in enumerate(page.entries, 1)
    ]
    turns = []
    if page.has_newer:
        turns.append(history_button(texts.button_newer, page.entries[0].message.id, HistoryAction.NEWER))
    if page.has_older:
        turns.append(history_button(texts.button_older, page.entries[-1].message.id, HistoryAction.OLDER))
    return make_keyboard([deletes, turns] if turns else [deletes])


def question_keyboard(texts: Texts, message_id: int) -> Keyboard:
    """Return the buttons to delete a message or go back to its page."""
    return make_keyboard(
        [
            [
                history_button(texts.button_history_delete_yes, message_id, HistoryAction.DELETE, ButtonStyle.DANGER),
                history_button(texts.button_no, message_id, HistoryAction.FROM),
            ]
        ]
    )


def history_button(
    text: str, message_id: int, action: HistoryAction, style: ButtonStyle | None = None
) -> dict[str, str]:
    """Return a button for an action on a message."""
    return make_button(text, f"{TapKind.HISTORY}:{message_id}:{action}", style)
