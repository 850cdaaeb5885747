"""Sets the command menus and the bot's description."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from telegram import Bot, BotCommand, BotCommandScopeChat

from bot.connection.retries import REFUSALS, until_answered
from bot.database import AsyncDatabase
from bot.texts import Texts, locales, texts_for
from core.outages import Outage
from storage.chat import people
from storage.db.database import UnitOfWork
from storage.training import followers

logger = logging.getLogger(__name__)


class CommandMenus:
    """The public command menu, and a longer menu in each admin's chat. Failures are logged but aren't fatal."""

    def __init__(
        self,
        telegram: Bot,
        database: AsyncDatabase,
        admin_ids: frozenset[int],
        public_commands: Sequence[str],
        admin_commands: Sequence[str],
    ) -> None:
        self._telegram = telegram
        self._database = database
        self._admin_ids = admin_ids
        self._public_commands = public_commands
        self._admin_commands = (*public_commands, *admin_commands)
        self._outage = Outage("Telegram's command menu")
        self._with_menu: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self) -> None:
        """Set all menus and the description in every language, and delete former admins' menus."""
        admins, former_admins = await self._database.read(self._admin_chats)
        for admin_id in admins:
            await self._set_admin_menu(admin_id)
        for chat_id in former_admins:
            await self._delete_menu(chat_id)
        await self._set_public_menu()

    def on_person(self, telegram_id: int) -> None:
        """Set an admin's menu if it isn't set yet. Telegram refuses a menu until the admin has written to the bot."""
        if telegram_id in self._admin_ids - self._with_menu:
            # Set the menu in the background, so that the reply doesn't wait for it.
            task = asyncio.create_task(self._set_admin_menu(telegram_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _admin_chats(self, unit: UnitOfWork) -> tuple[list[int], list[int]]:
        """Return the ids of admins who have written to the bot, and the chat ids of former admins."""
        admins = [admin_id for admin_id in sorted(self._admin_ids) if people.find_person(unit, admin_id) is not None]
        notified = followers.notified_chats(unit, self._telegram.id)
        return admins, [chat_id for chat_id in notified if chat_id not in self._admin_ids]

    async def _set_admin_menu(self, admin_id: int) -> None:
        self._with_menu.add(admin_id)
        try:
            for language in (None, *locales()):
                menu = _menu(texts_for(language), self._admin_commands)
                await self._set_menu(menu, language, BotCommandScopeChat(admin_id))
        except REFUSALS as error:
            self._with_menu.discard(admin_id)
            logger.info("Could not set the menu of admin %d; will retry at their next message: %s", admin_id, error)

    async def _delete_menu(self, chat_id: int) -> None:
        delete = partial(self._telegram.delete_my_commands, scope=BotCommandScopeChat(chat_id))
        try:
            for language in (None, *locales()):
                await until_answered(partial(delete, language_code=language), self._outage)
        except REFUSALS as error:
            logger.info("Could not delete the menu of former admin %d: %s", chat_id, error)

    async def _set_public_menu(self) -> None:
        telegram = self._telegram
        try:
            for language in (None, *locales()):
                texts = texts_for(language)
                await self._set_menu(_menu(texts, self._public_commands), language)
                for set_text, text in (
                    (telegram.set_my_description, texts.description),
                    (telegram.set_my_short_description, texts.short_description),
                ):
                    await until_answered(partial(set_text, text, language_code=language), self._outage)
        except REFUSALS as error:
            logger.warning("Could not set the command menu and the description: %s", error)

    async def _set_menu(
        self, menu: list[BotCommand], language: str | None, scope: BotCommandScopeChat | None = None
    ) -> None:
        call = partial(self._telegram.set_my_commands, menu, scope=scope, language_code=language)
        await until_answered(call, self._outage)


def _menu(texts: Texts, commands: Sequence[str]) -> list[BotCommand]:
    return [BotCommand(name, getattr(texts, f"command_{name}")) for name in commands]
