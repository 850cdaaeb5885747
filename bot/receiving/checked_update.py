"""Parses one update with PTB, and checks the types that the bot relies on, because PTB doesn't."""

import json
from collections.abc import Iterator

from telegram import Bot, Message, Update
from telegram import MaybeInaccessibleMessage as AnyMessage

from bot.receiving.raw_update import is_id


class UnparsableUpdate(ValueError):
    """The bot cannot parse this update, or its fields have unexpected types."""


def parse_update(payload: str, bot: Bot) -> Update:
    """Return the update that ``payload`` describes. Raise UnparsableUpdate if PTB or this bot cannot read it."""
    try:
        update = Update.de_json(json.loads(payload), bot)
        if update is None:
            raise ValueError("it is empty")
        _check(update)
    # PTB's constructors may raise any exception.
    except Exception as error:
        raise UnparsableUpdate(f"{type(error).__name__}: {error}") from error
    return update


def _check(update: Update) -> None:
    """Raise ValueError if an id, name or text has an unexpected type or cannot be stored."""
    for name, value in _ids(update):
        if not is_id(value):
            raise ValueError(f"{name} is not a 64-bit integer")
    for name, text in _texts(update):
        if text is not None and not isinstance(text, str):
            raise ValueError(f"{name} is not a string")
        # Half of a surrogate pair is valid in JSON, but can be neither stored nor sent.
        if text is not None and not text.isascii():
            text.encode()


def _messages(update: Update) -> Iterator[AnyMessage]:
    tapped = update.callback_query.message if update.callback_query is not None else None
    for message in (update.effective_message, tapped):
        if message is not None:
            yield message
        if isinstance(message, Message) and message.reply_to_message is not None:
            yield message.reply_to_message


def _ids(update: Update) -> Iterator[tuple[str, object]]:
    if update.effective_user is not None:
        yield "the sender's id", update.effective_user.id
    if update.effective_chat is not None:
        yield "the chat's id", update.effective_chat.id
    for message in _messages(update):
        yield "a message's id", message.message_id
        # PTB's types say that every message has a chat, but PTB also accepts messages without one.
        yield "the id of a message's chat", getattr(message.chat, "id", None)


def _texts(update: Update) -> Iterator[tuple[str, object]]:
    user, chat, query = update.effective_user, update.effective_chat, update.callback_query
    if user is not None:
        yield "the sender's first name", user.first_name
        yield "the sender's last name", user.last_name
        yield "the sender's language", user.language_code
    if chat is not None:
        yield "the chat's type", chat.type
    if query is not None:
        yield "a button's data", query.data
    for message in _messages(update):
        if isinstance(message, Message):
            yield "a text", message.text
            yield "a caption", message.caption
