"""One text out of several messages: Telegram's apps split a text over 4,096 characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from telegram import Message, Update
from telegram.constants import ChatType

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
        and _written_by(second) == _written_by(first)
        and (second.date - first.date).total_seconds() <= JOIN_WITHIN + 1
    )


def _review(message: Message | None) -> str | None:
    """The text of a message in a private chat that is no command."""
    if message is None or message.chat.type != ChatType.PRIVATE or message.text is None:
        return None
    return None if message.text.startswith("/") else message.text


def _written_by(message: Message) -> tuple[object, ...]:
    """Who sent the message, and whose words it forwards, if any."""
    origin = message.forward_origin
    author = (getattr(origin, name, None) for name in ("sender_user", "sender_user_name", "sender_chat", "chat"))
    return (message.from_user, *author)
