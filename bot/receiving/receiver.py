"""Receives updates by long polling or webhook, after Telegram has accepted the token."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application

from bot.connection.contact import TelegramContact
from bot.connection.retries import until_answered
from bot.database import AsyncDatabase
from bot.receiving.inbox import Inbox
from bot.receiving.long_polling import LongPolling
from bot.receiving.webhook import WebhookServer
from bot.receiving.webhook_registration import WebhookRegistration, WebhookSettings, release_webhook
from bot.sending.troubles import Troubles
from core.errors import BadSetting
from core.outages import Outage
from core.settings import Settings

# The kinds of updates that the bot handles. By default, PTB would request all kinds.
_UPDATES: Final = ["message", "edited_message", "callback_query"]
_REFUSED: Final = "Telegram does not recognise it; it may have been revoked"


class Receiver:
    """Puts Telegram's updates into the inbox. ``contact`` records when Telegram last responded."""

    def __init__(
        self,
        settings: Settings,
        application: Application,  # type: ignore[type-arg]
        database: AsyncDatabase,
        inbox: Inbox,
        troubles: Troubles,
    ) -> None:
        self.contact = TelegramContact()
        self._application = application
        self._database = database
        self._webhook = self._make_webhook(settings, inbox, troubles) if settings.webhook_url else None
        self._polling = LongPolling(application.bot, inbox, _UPDATES, self.contact)
        # This task polls or watches the webhook, and ends only if Telegram refuses the token.
        self._task: asyncio.Task[None] | None = None

    def _make_webhook(self, settings: Settings, inbox: Inbox, troubles: Troubles) -> "_Webhook":
        async def receive(payload: str) -> None:
            self.contact.heard()
            await inbox.receive(payload)

        wanted = WebhookSettings(settings.webhook_url or "", settings.webhook_secret_text, _UPDATES)
        server = WebhookServer(wanted.url, receive)
        telegram = self._application.bot
        registration = WebhookRegistration(wanted, telegram, self._database, server, self.contact, troubles)
        return _Webhook(server, registration, settings.webhook_listen, settings.webhook_port)

    async def open(self) -> None:
        """Reserve the webhook's port, and wait until Telegram can be reached.

        Raise BadSetting if the port cannot be used, if Telegram refuses the token, or if Telegram delivers the bot's
        updates to an address that must not be replaced.
        """
        if self._webhook is not None:
            self._webhook.bind()
        with _refused_token():
            await until_answered(self._application.initialize, Outage("Telegram"), (InvalidToken,))
            self.contact.heard()
            if self._webhook is not None:
                await self._webhook.registration.claim()
            else:
                await release_webhook(self._application.bot, self._database)

    async def close(self) -> None:
        """Close the connections, even if ``open`` failed."""
        if self._webhook is not None:
            await self._webhook.server.stop()
        await self._application.shutdown()

    async def start(self) -> None:
        """Receive updates by webhook if WEBHOOK_URL is set, or by long polling if not.

        Raise BadSetting if Telegram refuses the webhook.
        """
        if self._webhook is None:
            self._task = asyncio.create_task(self._polling.run(), name="long polling")
            return
        with _refused_token():
            await self._webhook.start()
        self._task = asyncio.create_task(self._webhook.registration.watch(), name="webhook watch")

    async def stop(self) -> None:
        """Stop receiving updates. Do nothing if receiving never started."""
        if self._task is not None:
            self._task.cancel()
            # The error that ended it has already been reported.
            with suppress(asyncio.CancelledError, TelegramError):
                await self._task
        if self._webhook is not None:
            await self._webhook.server.stop()
        else:
            await self._polling.confirm()

    async def wait(self) -> None:
        """Wait forever. Raise BadSetting if Telegram refuses the token while the bot is running."""
        if self._task is None:
            raise RuntimeError("receiving has not started")
        with _refused_token():
            await asyncio.shield(self._task)


@dataclass(frozen=True, slots=True)
class _Webhook:
    """The webhook server, the address it listens on, and its registration."""

    server: WebhookServer
    registration: WebhookRegistration
    listen: str
    port: int

    def bind(self) -> None:
        self.server.bind(self.listen, self.port)

    async def start(self) -> None:
        """Start answering requests, and then register the webhook."""
        self.server.start()
        await self.registration.register()


@contextmanager
def _refused_token() -> Iterator[None]:
    try:
        yield
    except InvalidToken as error:
        raise BadSetting(name="TELEGRAM_TOKEN", reason=_REFUSED) from error
