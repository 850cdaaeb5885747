"""Detects that an uncertain reply has arrived when a person taps one of its buttons or replies to it."""

import html
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from telegram import InlineKeyboardMarkup, MaybeInaccessibleMessage, Message, Update

from bot.access import in_own_chat
from bot.database import AsyncDatabase
from storage.chat import arrivals
from storage.chat.arrivals import UncertainReply
from storage.db.database import UnitOfWork

logger = logging.getLogger(__name__)

_TAG: Final = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class BotMessageSighting:
    """A bot message that an update refers to, identified by its buttons' data, or by its text if it has no buttons."""

    bot_id: int
    chat_id: int
    telegram_message_id: int
    button_data: frozenset[str]
    text: str | None

    def matches(self, reply: UncertainReply) -> bool:
        """Return whether this message is the given reply."""
        data = _stored_button_data(reply.payload)
        if self.button_data or data:
            return bool(self.button_data & data)
        return self.text is not None and self.text == _plain_text(reply.payload)


class Arrivals:
    """Marks uncertain replies as sent when an update shows that they arrived."""

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def note(self, update: Update) -> None:
        """If the update refers to an uncertain reply, mark the reply as sent.

        If a later reply has replaced the uncertain one, also edit the message.
        """
        for sighting in _sightings(update):
            if await self._database.read(lambda unit, seen=sighting: _find(unit, seen) is not None):  # type: ignore[misc]
                await self._database.write(lambda unit, seen=sighting: _mark(unit, seen))  # type: ignore[misc]


def _find(unit: UnitOfWork, sighting: BotMessageSighting) -> UncertainReply | None:
    uncertain = arrivals.uncertain_in_chat(unit, sighting.bot_id, sighting.chat_id)
    found = next((reply for reply in uncertain if sighting.matches(reply)), None)
    if found is None or arrivals.is_known(unit, sighting.bot_id, sighting.chat_id, sighting.telegram_message_id):
        return None
    return found


def _mark(unit: UnitOfWork, sighting: BotMessageSighting) -> None:
    found = _find(unit, sighting)
    if found is not None and arrivals.mark_arrived(unit, found.id, sighting.telegram_message_id):
        logger.info("The uncertain reply %d arrived as message %d", found.id, sighting.telegram_message_id)


def _sightings(update: Update) -> Iterator[BotMessageSighting]:
    """Yield the bot message in the person's own chat that they replied to or tapped a button on."""
    if not in_own_chat(update):
        return
    bot_id = update.get_bot().id
    query = update.callback_query
    if query is not None and query.message is not None:
        tapped = {query.data} if query.data is not None else set()
        yield _sighting(bot_id, query.message, tapped)
    message = update.message or update.edited_message
    replied = message.reply_to_message if message is not None else None
    if replied is not None and replied.from_user is not None and replied.from_user.id == bot_id:
        yield _sighting(bot_id, replied, set())


def _sighting(bot_id: int, message: MaybeInaccessibleMessage, tapped: set[str]) -> BotMessageSighting:
    data, text = set(tapped), None
    if isinstance(message, Message):
        data |= _button_data(message.reply_markup)
        text = message.text or message.caption
    return BotMessageSighting(bot_id, message.chat.id, message.message_id, frozenset(data), text)


def _button_data(keyboard: InlineKeyboardMarkup | None) -> set[str]:
    buttons = [button for row in keyboard.inline_keyboard for button in row] if keyboard is not None else []
    return {button.callback_data for button in buttons if isinstance(button.callback_data, str)}


def _stored_button_data(payload: dict[str, Any]) -> set[str]:
    rows = payload.get("reply_markup", {}).get("inline_keyboard", [])
    return {button["callback_data"] for row in rows for button in row}


def _plain_text(payload: dict[str, Any]) -> str:
    """Return a payload's text or caption as Telegram displays it, without HTML markup."""
    return html.unescape(_TAG.sub("", payload.get("text") or payload.get("caption", ""))).strip()
