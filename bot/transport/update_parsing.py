"""What handlers read of an update before they hand over."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from telegram import Message, Update
from telegram.ext import CallbackContext

from bot.transport.conversation import Received, Sender, Tap, Written
from bot.transport.message_parts import JoinedText
from storage.chat.messages import Part

Context = CallbackContext[Any, Any, Any, Any]
Meaning = TypeVar("Meaning")


def pieces_of(update: object) -> tuple[Update, ...]:
    """The updates behind what the inbox hands on."""
    if isinstance(update, JoinedText):
        return update.pieces
    return (update,) if isinstance(update, Update) else ()


def received(pieces: Sequence[Update]) -> Received:
    """Who wrote where, and which updates that was; the pieces come from one person in one chat."""
    first = pieces[0]
    user, chat = first.effective_user, first.effective_chat
    if user is None or chat is None:
        raise ValueError(f"update {first.update_id} names no person or no chat")
    sender = Sender(user.id, user.full_name, user.language_code)
    return Received(first.get_bot().id, tuple(piece.update_id for piece in pieces), chat.id, sender)


def written(pieces: Sequence[Update]) -> Written:
    """The text of new or edited messages."""
    parts = tuple(_part(piece.effective_message) for piece in pieces)
    return Written(received(pieces), parts)


def tapped(update: Update, read: Callable[[str], Meaning]) -> tuple[Tap, Meaning]:
    """The tap, and what its data means."""
    query = update.callback_query
    if query is None or query.message is None or query.data is None:
        raise ValueError(f"update {update.update_id} is no tap on a message with data")
    return Tap(received([update]), query.message.message_id), read(query.data)


def _part(message: Message | None) -> Part:
    if message is None or message.text is None:
        raise ValueError("the update holds no text")
    return Part(message.message_id, message.text)
