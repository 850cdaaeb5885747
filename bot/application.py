"""The bot put together: every part made once, started and stopped in order."""

import asyncio
import logging
import secrets
from urllib.parse import urlsplit

from telegram import BotCommand
from telegram.error import InvalidToken, NetworkError, TelegramError
from telegram.ext import AIORateLimiter, Application, ApplicationBuilder, Updater

from bot.answering import Answering
from bot.failures import Failures
from bot.handlers.person import COMMANDS, PersonHandlers
from bot.inbox import Inbox
from bot.judging import Votes
from bot.live_model import LiveModel
from bot.outbox import Outbox
from bot.privacy import Privacy
from bot.store import Store
from bot.texts import locales, texts_for
from config.errors import BadSetting
from config.settings import Settings

logger = logging.getLogger(__name__)

# What Telegram sends: PTB would ask for everything that it knows.
_UPDATES = ["message", "edited_message", "callback_query"]
# Seconds between two tries to reach Telegram at start, and how often a flood wait is sat out before a reply waits.
_REACH_AGAIN = 1.0
_FLOOD_WAITS = 3


class Bot:
    """One running bot."""

    def __init__(self, settings: Settings, store: Store, model: LiveModel) -> None:
        self._settings = settings
        self._store = store
        self._model = model
        api = settings.telegram_api_url.rstrip("/")
        self._application: Application = (  # type: ignore[type-arg]  # six parameters, all of them PTB's defaults
            ApplicationBuilder()
            .token(settings.token)
            .base_url(f"{api}/bot")
            .base_file_url(f"{api}/file/bot")
            .rate_limiter(AIORateLimiter(max_retries=_FLOOD_WAITS))
            .updater(None)
            .build()
        )
        telegram = self._application.bot
        self._outbox = Outbox(telegram, store)
        self._inbox = Inbox(telegram, store, self._application.process_update)
        self._updater = Updater(telegram, self._inbox)
        privacy = Privacy(store, settings.retention_days)
        handlers = PersonHandlers(store, self._outbox, Answering(store, model), Votes(store), privacy)
        self._application.add_handlers(list(handlers.table()))
        self._application.add_error_handler(Failures(store, self._outbox, self._inbox).on_error)

    async def run(self, stop: asyncio.Event) -> None:
        """Answer until ``stop`` is set. Raises BadSetting when Telegram does not know the token."""
        if not await self._reach_telegram(stop):
            return
        try:
            await self._start()
            await stop.wait()
        finally:
            await self._stop()

    async def _reach_telegram(self, stop: asyncio.Event) -> bool:
        """Wait for Telegram's first answer; False when the bot is stopped before it comes."""
        while not stop.is_set():
            try:
                await self._updater.initialize()
                await self._application.initialize()
            except InvalidToken as error:
                raise BadSetting(name="TELEGRAM_TOKEN", reason="Telegram does not know it") from error
            except NetworkError as error:
                logger.warning("Telegram cannot be reached yet: %s", error)
                await asyncio.sleep(_REACH_AGAIN)
            else:
                return True
        return False

    async def _start(self) -> None:
        await self._store.write(self._model.register)
        await self._outbox.start()
        left = await self._inbox.take_up()
        if left:
            logger.info("Taking up %d updates that an earlier process left", left)
        await self._listen()
        await self._introduce()
        logger.info("Answering with model %s", self._model.version)

    async def _stop(self) -> None:
        if self._updater.running:
            await self._updater.stop()
        await self._inbox.stop()
        await self._outbox.stop()
        await self._updater.shutdown()
        await self._application.shutdown()

    async def _listen(self) -> None:
        """By webhook where an address is set, else by long polling."""
        url = self._settings.webhook_url
        if url is None:
            await self._updater.start_polling(allowed_updates=_UPDATES, bootstrap_retries=-1)
            return
        given = self._settings.webhook_secret
        await self._updater.start_webhook(
            listen=self._settings.webhook_listen,
            port=self._settings.webhook_port,
            url_path=urlsplit(url).path.lstrip("/"),
            webhook_url=url,
            secret_token=given.get_secret_value() if given else secrets.token_urlsafe(32),
            allowed_updates=_UPDATES,
            bootstrap_retries=-1,
        )

    async def _introduce(self) -> None:
        """Tell Telegram the commands and the description, in every language; the bot works without."""
        telegram = self._application.bot
        try:
            for language in (None, *locales()):
                texts = texts_for(language)
                commands = [BotCommand(name, getattr(texts, f"command_{name}")) for name in COMMANDS]
                await telegram.set_my_commands(commands, language_code=language)
                await telegram.set_my_description(texts.description, language_code=language)
                await telegram.set_my_short_description(texts.short_description, language_code=language)
        except TelegramError as error:
            logger.warning("Telegram did not take the list of commands: %s", error)
