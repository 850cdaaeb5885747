"""One text out of several messages: Telegram's apps split a text over 4,096 characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from telegram import Message, Update

# Telegram Desktop cuts anywhere past half of the 4,096 characters, so a shorter text has no continuation.
LONG_ENOUGH: Final = 2048
# Seconds that the next piece may take; apps send the pieces in one go.
JOIN_WITHIN: Final = 1.0
# Pieces of one text, or somebody could make everyone else wait for one endless review.
MOST_PIECES: Final = 16


@dataclass(frozen=True, slots=True)
class JoinedText:
    """Several messages that are one text, in order."""

    pieces: tuple[Update, ...]


def may_continue(pieces: Sequence[Update]) -> bool:
    """Whether an app may have split a text after the last of these pieces."""
    text = _review(pieces[-1].message)
    return text is not None and len(text) >= LONG_ENOUGH and len(pieces) < MOST_PIECES


def continues(before: Update, update: Update) -> bool:
    """Whether ``update`` goes on with the text that ``before`` is a long enough piece of."""
    first, second = before.message, update.message
    return (
        first is not None
        and second is not None
        and _review(second) is not None
        and second.from_user == first.from_user
        and (second.date - first.date).total_seconds() <= JOIN_WITHIN + 1
    )


def _review(message: Message | None) -> str | None:
    """The text of a message that is no command."""
    if message is None or message.text is None or message.text.startswith("/"):
        return None
    return message.text
