"""Recognises messages that make up one post: the pieces of a long text split by an app, or the items of an album."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from telegram import Message, Update
from telegram.constants import ChatType, MessageLimit

# Minimum length of a message that may be continued: Telegram Desktop never splits before 2,048 UTF-16 code units, which
# is how the apps count.
MIN_SPLIT_LENGTH: Final = 2048
# Length up to which apps send a text in one message, less the white space that they trim where they split.
_ONE_MESSAGE: Final = MessageLimit.MAX_TEXT_LENGTH - 16
# Seconds to wait for the next message of a post. Apps send all of them at once.
JOIN_SECONDS: Final = 1.0
# Maximum number of pieces in one text, so that an endless text can't keep everyone else waiting.
MAX_PIECES: Final = 16


@dataclass(frozen=True, slots=True)
class Post:
    """Several messages, in order, that make up one post."""

    pieces: tuple[Update, ...]


def may_continue(pieces: Sequence[Update]) -> bool:
    """Return whether the post may continue after the last piece."""
    message = pieces[-1].message
    if message is None or message.chat.type != ChatType.PRIVATE or len(pieces) >= MAX_PIECES:
        return False
    return message.media_group_id is not None or _split_length(message) >= MIN_SPLIT_LENGTH


def continues(previous: Update, update: Update) -> bool:
    """Return whether ``update`` continues the post in ``previous``, for which ``may_continue`` must be true.

    A forwarded text is always a separate post.
    """
    first, second = previous.message, update.message
    if first is None or second is None or second.from_user != first.from_user or second.chat.id != first.chat.id:
        return False
    if first.media_group_id is not None or second.media_group_id is not None:
        return first.media_group_id == second.media_group_id
    lengths = _split_length(first), _split_length(second)
    at_once = (second.date - first.date).total_seconds() <= JOIN_SECONDS + 1
    # An app splits a text only if the rest of it doesn't fit into one message.
    return at_once and min(lengths) > 0 and sum(lengths) > _ONE_MESSAGE


def _split_length(message: Message) -> int:
    """Return the length of a text that an app may have split, in UTF-16 code units, or 0 for any other message."""
    if message.text is None or message.forward_origin is not None or message.text.startswith("/"):
        return 0
    return len(message.text.encode("utf-16-le")) // 2
