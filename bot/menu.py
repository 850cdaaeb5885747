"""What Telegram shows of the bot before anything is said: its commands, by who sees them, and its description."""

import logging
from collections.abc import Iterable, Sequence

from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import TelegramError

from bot.texts import Texts, locales, texts_for

logger = logging.getLogger(__name__)


async def offer_to_all(telegram: Bot, commands: Sequence[str]) -> None:
    """Set everybody's commands and the description, in every language; the bot works without."""
    try:
        for language in (None, *locales()):
            texts = texts_for(language)
            await telegram.set_my_commands(_menu(texts, commands), language_code=language)
            await telegram.set_my_description(texts.description, language_code=language)
            await telegram.set_my_short_description(texts.short_description, language_code=language)
    except TelegramError as error:
        logger.warning("Telegram did not take the list of commands: %s", error)


async def offer_to_admins(telegram: Bot, admin_ids: Iterable[int], commands: Sequence[str]) -> None:
    """Set the commands that admins alone see, each in the own chat; one who never wrote to the bot has none yet."""
    for admin_id in sorted(admin_ids):
        scope = BotCommandScopeChat(admin_id)
        try:
            for language in (None, *locales()):
                menu = _menu(texts_for(language), commands)
                await telegram.set_my_commands(menu, scope=scope, language_code=language)
        except TelegramError as error:
            logger.warning("Telegram did not take the commands of admin %d: %s", admin_id, error)


def _menu(texts: Texts, commands: Sequence[str]) -> list[BotCommand]:
    return [BotCommand(name, getattr(texts, f"command_{name}")) for name in commands]
