"""Recognises a text that a Telegram app split into several messages of at most 4,096 characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from telegram import Message, Update
from telegram.constants import ChatType

# Minimum length of a message that may be continued: Telegram Desktop never splits before 2,048 characters.
MIN_SPLIT_LENGTH: Final = 2048
# Seconds to wait for the next piece. Apps send all pieces at once.
JOIN_SECONDS: Final = 1.0
# Maximum number of pieces in one text, so that an endless text can't keep everyone else waiting.
MAX_PIECES: Final = 16


@dataclass(frozen=True, slots=True)
class JoinedText:
    """Several messages, in order, that make up one text."""

    pieces: tuple[Update, ...]


def may_continue(pieces: Sequence[Update]) -> bool:
    """Return whether the text may continue after the last of these pieces."""
    text = _review_text(pieces[-1].message)
    return text is not None and len(text) >= MIN_SPLIT_LENGTH and len(pieces) < MAX_PIECES


def continues(previous: Update, update: Update) -> bool:
    """Return whether ``update`` continues the text in ``previous``, which is long enough to have been split."""
    first, second = previous.message, update.message
    return (
        first is not None
        and second is not None
        and _review_text(second) is not None
        and _authors(second) == _authors(first)
        and (second.date - first.date).total_seconds() <= JOIN_SECONDS + 1
    )


def _review_text(message: Message | None) -> str | None:
    """Return the text of a message in a private chat, or None for a command or any other message."""
    if message is None or message.chat.type != ChatType.PRIVATE or message.text is None:
        return None
    return None if message.text.startswith("/") else message.text


def _authors(message: Message) -> tuple[object, ...]:
    """Return the sender and, for a forwarded message, the original author."""
    origin = message.forward_origin
    original = (getattr(origin, name, None) for name in ("sender_user", "sender_user_name", "sender_chat", "chat"))
    return (message.from_user, *original)
