"""Converts PTB's updates to the types that the dialogs use."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from telegram import Message, Update
from telegram.ext import CallbackContext

from bot.incoming import Incoming, IncomingText, Sender, Tap
from bot.receiving.message_parts import Post
from storage.chat.messages import MessagePart

Context = CallbackContext[Any, Any, Any, Any]
Data = TypeVar("Data")


def updates_in(update: object) -> tuple[Update, ...]:
    """Return the updates contained in the object that the inbox passed to a handler."""
    if isinstance(update, Post):
        return update.pieces
    return (update,) if isinstance(update, Update) else ()


def parse_incoming(pieces: Sequence[Update]) -> Incoming:
    """Return the sender, the chat and the ids of updates that one person sent in one chat."""
    first = pieces[0]
    user, chat = first.effective_user, first.effective_chat
    if user is None or chat is None:
        raise ValueError(f"update {first.update_id} has no user or no chat")
    sender = Sender(user.id, user.full_name, user.language_code)
    return Incoming(first.get_bot().id, tuple(piece.update_id for piece in pieces), chat.id, sender)


def parse_text(pieces: Sequence[Update]) -> IncomingText:
    """Return the text of new or edited messages. For a message with media, the text is the caption.

    A message without text is an empty part.
    """
    parts = tuple(_part(piece.effective_message) for piece in pieces)
    return IncomingText(parse_incoming(pieces), parts)


def parse_tap(update: Update, parse_data: Callable[[str], Data]) -> tuple[Tap, Data]:
    """Return the tap and its parsed callback data."""
    query = update.callback_query
    if query is None or query.message is None or query.data is None:
        raise ValueError(f"update {update.update_id} is not a tap on a message, or has no data")
    return Tap(parse_incoming([update]), query.message.message_id), parse_data(query.data)


def parse_replied_message(update: Update) -> int | None:
    """Return the id of the message that a new message replies to, or None if it isn't a reply."""
    replied = update.message.reply_to_message if update.message is not None else None
    return replied.message_id if replied is not None else None


def _part(message: Message | None) -> MessagePart:
    if message is None:
        raise ValueError("the update has no message")
    return MessagePart(message.message_id, message.text or message.caption or "")
