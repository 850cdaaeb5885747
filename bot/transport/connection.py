"""Connects to Telegram: checks the token, and receives updates by long polling or webhook."""

import asyncio
import json
import logging
import secrets
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, Updater

from bot.transport.inbox import Inbox
from bot.transport.long_polling import LongPolling, UpdateRequest
from core.errors import BadSetting
from core.settings import Settings

logger = logging.getLogger(__name__)

# The kinds of updates that the bot handles. By default, PTB would request all kinds.
_UPDATES: Final = ["message", "edited_message", "callback_query"]
# Seconds between attempts to reach Telegram at start-up.
_RECONNECT_SECONDS: Final = 1.0
_REFUSED: Final = "Telegram does not recognise it; it may have been revoked"


def build_application(settings: Settings) -> Application:  # type: ignore[type-arg]  # six parameters, all PTB's defaults
    """Build PTB's application without an updater, because ours fills the inbox, and without a rate limiter.

    Raise BadSetting if the token is malformed.
    """
    api = settings.telegram_api_url.rstrip("/")
    try:
        return (
            ApplicationBuilder()
            .token(settings.token)
            .base_url(f"{api}/bot")
            .base_file_url(f"{api}/file/bot")
            .get_updates_request(UpdateRequest(connection_pool_size=1))
            .updater(None)
            .build()
        )
    except InvalidToken as error:
        raise BadSetting(name="TELEGRAM_TOKEN", reason="it does not look like a token from @BotFather") from error


class _UpdateQueue(asyncio.Queue[object]):
    """The queue for PTB's updater. It puts each update into the inbox before the update is confirmed to Telegram."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self._inbox = inbox

    async def put(self, item: object) -> None:
        """Store an update, and return after the commit."""
        if not isinstance(item, Update):
            raise TypeError(f"not an update: {item!r}")
        # For an inaccessible message, PTB leaves the date as a datetime.
        await self._inbox.receive(json.dumps(item.to_dict(), default=lambda date: int(date.timestamp())))


class TelegramConnection:
    """Puts Telegram's updates into the inbox."""

    def __init__(self, settings: Settings, application: Application, inbox: Inbox) -> None:  # type: ignore[type-arg]
        self._settings = settings
        self._application = application
        self._updater = Updater(application.bot, _UpdateQueue(inbox))
        self._polling = LongPolling(application.bot, inbox, _UPDATES)
        self._polling_task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Wait until Telegram can be reached. Raise BadSetting if it refuses the token."""
        while True:
            try:
                await self._updater.initialize()
                await self._application.initialize()
            except InvalidToken as error:
                raise BadSetting(name="TELEGRAM_TOKEN", reason=_REFUSED) from error
            except TelegramError as error:
                logger.warning("Could not reach Telegram; will retry: %s", error)
                await asyncio.sleep(_RECONNECT_SECONDS)
            else:
                return

    async def close(self) -> None:
        """Close the connections. This works even if ``open`` failed."""
        await self._updater.shutdown()
        await self._application.shutdown()

    async def start_receiving(self) -> None:
        """Receive updates by webhook if WEBHOOK_URL is set, or by long polling if not."""
        url = self._settings.webhook_url
        if url is None:
            self._polling_task = asyncio.create_task(self._polling.run(), name="long polling")
            return
        secret = self._settings.webhook_secret
        await self._updater.start_webhook(
            listen=self._settings.webhook_listen,
            port=self._settings.webhook_port,
            url_path=urlsplit(url).path.lstrip("/"),
            webhook_url=url,
            secret_token=secret.get_secret_value() if secret else secrets.token_urlsafe(32),
            allowed_updates=_UPDATES,
            bootstrap_retries=-1,
        )

    async def stop_receiving(self) -> None:
        """Stop receiving updates. Do nothing if receiving never started."""
        if self._polling_task is not None:
            self._polling_task.cancel()
            # The error that ended polling has already been reported.
            with suppress(asyncio.CancelledError, TelegramError):
                await self._polling_task
            await self._polling.confirm()
        if self._updater.running:
            await self._updater.stop()

    async def wait(self) -> None:
        """Wait forever. Raise BadSetting if Telegram refuses the token during polling."""
        if self._polling_task is None:
            await asyncio.Event().wait()
            return
        try:
            await asyncio.shield(self._polling_task)
        except InvalidToken as error:
            raise BadSetting(name="TELEGRAM_TOKEN", reason=_REFUSED) from error
