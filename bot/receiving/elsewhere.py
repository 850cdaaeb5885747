"""Matches updates that are not for the bot's dialogs, so that no other handler sees them."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler

from bot.access import in_own_chat
from bot.receiving.update_parsing import updates_in


class ElsewhereHandler(BaseHandler[Any, Any, Any]):
    """Matches updates from groups and channels, and taps that none of the bot's buttons makes in the person's chat.

    Telegram doesn't send such taps. But a reply goes to the message's chat, so a forged tap under a message in somebody
    else's chat could change what they are shown. And PTB passes a tap without data to the first handler for taps,
    whatever its pattern. This handler must come first.
    """

    def check_update(self, update: object) -> bool:
        """Return whether the update came from elsewhere. See PTB's ``BaseHandler``."""
        return any(_is_elsewhere(piece) for piece in updates_in(update))


def _is_elsewhere(update: Update) -> bool:
    query = update.callback_query
    return not in_own_chat(update) or (query is not None and not query.data)
