"""What Telegram shows of the bot before anything is said: its commands, by who sees them, and its description."""

import asyncio
import logging
from collections.abc import Sequence

from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import TelegramError

from bot.database import AsyncDatabase
from bot.texts import Texts, locales, texts_for
from storage.chat import people
from storage.db.database import UnitOfWork
from storage.training import followers

logger = logging.getLogger(__name__)


class CommandMenus:
    """Everybody's commands, and those that admins alone see, each in the own chat; the bot works without."""

    def __init__(
        self,
        telegram: Bot,
        store: AsyncDatabase,
        admin_ids: frozenset[int],
        for_all: Sequence[str],
        for_admins: Sequence[str],
    ) -> None:
        self._telegram = telegram
        self._store = store
        self._admin_ids = admin_ids
        self._for_all = for_all
        self._for_admins = (*for_all, *for_admins)
        self._offered: set[int] = set()
        self._offers: set[asyncio.Task[None]] = set()

    async def publish(self) -> None:
        """Set all menus and the description, in every language, and take admins' menus from who is none any more."""
        admins, former = await self._store.read(self._known)
        for admin_id in admins:
            await self._offer(admin_id)
        for chat_id in former:
            await self._withdraw(chat_id)
        await self._offer_to_all()

    def on_person(self, telegram_id: int) -> None:
        """Offer an admin the menu who has none yet: before the first message Telegram knows no chat to show it in."""
        if telegram_id in self._admin_ids - self._offered:
            # Beside the chat: an answer does not wait for a menu.
            task = asyncio.create_task(self._offer(telegram_id))
            self._offers.add(task)
            task.add_done_callback(self._offers.discard)

    def _known(self, unit: UnitOfWork) -> tuple[list[int], list[int]]:
        """The admins who wrote before, and the chats of those who were admins once."""
        admins = [admin_id for admin_id in sorted(self._admin_ids) if people.find_person(unit, admin_id) is not None]
        return admins, [
            chat for chat in followers.notified_chats(unit, self._telegram.id) if chat not in self._admin_ids
        ]

    async def _offer(self, admin_id: int) -> None:
        self._offered.add(admin_id)
        scope = BotCommandScopeChat(admin_id)
        try:
            for language in (None, *locales()):
                menu = _menu(texts_for(language), self._for_admins)
                await self._telegram.set_my_commands(menu, scope=scope, language_code=language)
        except TelegramError as error:
            self._offered.discard(admin_id)
            logger.info("Admin %d has no menu before the next message to the bot: %s", admin_id, error)

    async def _withdraw(self, chat_id: int) -> None:
        try:
            for language in (None, *locales()):
                await self._telegram.delete_my_commands(scope=BotCommandScopeChat(chat_id), language_code=language)
        except TelegramError as error:
            logger.info("Chat %d, of no admin any more, kept its menu: %s", chat_id, error)

    async def _offer_to_all(self) -> None:
        try:
            for language in (None, *locales()):
                texts = texts_for(language)
                await self._telegram.set_my_commands(_menu(texts, self._for_all), language_code=language)
                await self._telegram.set_my_description(texts.description, language_code=language)
                await self._telegram.set_my_short_description(texts.short_description, language_code=language)
        except TelegramError as error:
            logger.warning("Telegram did not take the list of commands: %s", error)


def _menu(texts: Texts, commands: Sequence[str]) -> list[BotCommand]:
    return [BotCommand(name, getattr(texts, f"command_{name}")) for name in commands]
