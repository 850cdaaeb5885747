"""Registers the webhook with Telegram without disturbing a running bot, and checks that this bot keeps it."""

import asyncio
import logging
import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from telegram import Bot, WebhookInfo
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.connection.contact import TelegramContact
from bot.connection.retries import REFUSALS, until_answered
from bot.database import AsyncDatabase
from bot.receiving.webhook import WebhookServer
from bot.sending.troubles import Troubles
from core.errors import BadSetting
from core.outages import Outage
from storage.chat.troubles import TroubleKind
from storage.chat.webhook_secrets import forget_webhook_secret, share_webhook_secret, webhook_secret
from storage.db.database import UnitOfWork
from storage.db.outages import DATABASE_ERRORS
from storage.models import instances

logger = logging.getLogger(__name__)

# Seconds between checks that the webhook still belongs to this bot.
WATCH_SECONDS: Final = 30.0
# How Telegram reports that our server refused its secret: "Wrong response from the webhook: 403 Forbidden".
_REFUSED_SECRET: Final = re.compile(r"\b403\b")


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """The webhook to register: its address, the secret if the settings contain one, and the kinds of updates."""

    url: str
    secret: str | None
    updates: list[str]


class _UnreadableAnswer(TelegramError):
    """The response to getWebhookInfo is not a WebhookInfo."""


class WebhookRegistration:
    """Registers and watches the bot's webhook on behalf of one process."""

    def __init__(  # noqa: PLR0913, PLR0917 - each argument is a separate part of the bot
        self,
        settings: WebhookSettings,
        telegram: Bot,
        database: AsyncDatabase,
        server: WebhookServer,
        contact: TelegramContact,
        troubles: Troubles,
    ) -> None:
        self._settings = settings
        self._telegram = telegram
        self._database = database
        self._server = server
        self._contact = contact
        self._troubles = troubles
        self._registered = False
        self._last_error: tuple[datetime | None, str | None] = (None, None)
        self._foreign: str | None = None
        self._outage = _new_outage()
        self._logged_refusals = 0
        self._refusals_before = 0
        self._confirmed_before = 0

    async def claim(self) -> None:
        """Share the secret with the bot's other processes before Telegram starts to use it.

        Raise BadSetting if Telegram delivers to an address that ``check_address`` protects.
        """
        info = await _webhook_info(self._telegram, self._outage)
        await check_address(info, self._settings.url, self._telegram.id, self._database)
        before, secret = await self._database.write(self._share_secret)
        self._server.secret = secret
        self._last_error = (info.last_error_date, info.last_error_message)
        same_updates = set(info.allowed_updates or ()) == set(self._settings.updates)
        same = info.url == self._settings.url and secret == before and same_updates
        self._registered = same and not _refuses_secret(info)

    async def register(self) -> None:
        """Register the webhook unless Telegram already has it. Raise BadSetting if Telegram refuses it."""
        if not self._registered:
            try:
                await until_answered(self._set_webhook, self._outage)
            except (BadRequest, Forbidden) as error:
                raise BadSetting(name="WEBHOOK_URL", reason=f"Telegram refuses it ({error})") from error
        self._contact.webhook_is_ours = True
        await self._troubles.forget(TroubleKind.WEBHOOK_LOST)

    async def watch(self) -> None:
        """Check the webhook at intervals until cancelled. Raise InvalidToken if Telegram refuses the token."""
        while True:
            try:
                await self.check()
            except InvalidToken:
                raise
            # If an error ended the loop, nothing would watch the webhook until the next restart.
            except Exception:
                logger.exception("Could not check the webhook")
            await asyncio.sleep(WATCH_SECONDS)

    async def check(self) -> None:
        """Ask Telegram about the webhook.

        Report a foreign address. Register again if this process refused Telegram's secret. Raise InvalidToken if
        Telegram refuses the token.
        """
        self._log_refusals()
        try:
            secret = await self._database.read(self._read_secret)
            self._server.secret = secret or self._server.secret
            info = await _ask(self._telegram)
            self._contact.heard()
            if info.url != self._settings.url:
                await self._report_foreign(info.url)
            else:
                await self._check_own(info)
        except InvalidToken:
            raise
        except (TelegramError, *DATABASE_ERRORS) as error:
            self._outage.failed(error)
        else:
            self._outage.succeeded()

    async def _check_own(self, info: WebhookInfo) -> None:
        if self._foreign is not None:
            logger.info("The webhook is this bot's again")
            await self._troubles.forget(TroubleKind.WEBHOOK_LOST)
        self._foreign = None
        self._contact.webhook_is_ours = True
        error = (info.last_error_date, info.last_error_message)
        if error[0] is None or error == self._last_error:
            if not info.pending_update_count or self._server.confirmed > self._confirmed_before:
                self._contact.delivery_error = None
            return
        self._contact.delivery_error = error[1]
        self._confirmed_before = self._server.confirmed
        # Without refusals here, the 403 came from a proxy or another server, and registering again would not help.
        if _refuses_secret(info) and self._server.refusals > self._refusals_before:
            logger.warning("The webhook was registered with a different secret, so it will be registered again")
            await self._set_webhook()
        else:
            if error[1] != self._last_error[1]:
                logger.warning("Telegram could not deliver an update: %s", error[1])
            facts = {"error": error[1], "address": _origin(self._settings.url)}
            await self._troubles.report(TroubleKind.DELIVERY_FAILED, "trouble_delivery_failed", error[0], **facts)
        self._last_error = error

    async def _report_foreign(self, url: str) -> None:
        """Log the new address and notify the admins.

        Don't take the webhook back, because two bots doing that would fight over it.
        """
        self._contact.webhook_is_ours = False
        if url != self._foreign:
            where = f"goes to {_origin(url)} now" if url else "was deleted"
            logger.error("This bot receives no updates: its webhook %s. Restart the bot to take it back", where)
            text = "trouble_webhook_elsewhere" if url else "trouble_webhook_deleted"
            await self._troubles.report(TroubleKind.WEBHOOK_LOST, text, address=_origin(url))
        self._foreign = url

    def _log_refusals(self) -> None:
        if refused := self._server.refusals - self._logged_refusals:
            logger.warning("Refused %d webhook requests with a wrong secret", refused)
        self._logged_refusals = self._server.refusals

    def _share_secret(self, unit: UnitOfWork) -> tuple[str | None, str]:
        """Return the secret that the bot used before this start, and the secret to use from now on."""
        return self._read_secret(unit), share_webhook_secret(unit, self._telegram.id, self._settings.secret)

    def _read_secret(self, unit: UnitOfWork) -> str | None:
        return webhook_secret(unit, self._telegram.id)

    async def _set_webhook(self) -> None:
        await self._telegram.set_webhook(
            self._settings.url, secret_token=self._server.secret, allowed_updates=self._settings.updates
        )
        self._refusals_before = self._server.refusals


async def release_webhook(telegram: Bot, database: AsyncDatabase) -> None:
    """Delete the webhook before polling starts, because Telegram doesn't answer polls while a webhook is set.

    Raise BadSetting if Telegram delivers to an address that ``check_address`` protects.
    """
    outage = _new_outage()
    info = await _webhook_info(telegram, outage)
    await check_address(info, "", telegram.id, database)
    if info.url:
        logger.warning("Deleting the webhook %s, because WEBHOOK_URL is not set", _origin(info.url))
        await until_answered(telegram.delete_webhook, outage, (InvalidToken,))
    await database.write(lambda unit: forget_webhook_secret(unit, telegram.id))


async def check_address(info: WebhookInfo, wanted: str, bot_id: int, database: AsyncDatabase) -> None:
    """Raise BadSetting if a starting bot must not replace the address that Telegram delivers to.

    A bot may replace an address that was registered with the same database, unless another process of the bot is
    running. ``wanted`` is the new address, or an empty string if there is none.
    """
    if info.url in ("", wanted):
        return
    secret, processes = await database.read(lambda unit: (webhook_secret(unit, bot_id), _processes(unit, bot_id)))
    intro = "" if wanted else "it is not set, but "
    reason = f"{intro}Telegram delivers this bot's updates to {_origin(info.url)}, "
    if processes:
        raise BadSetting(name="WEBHOOK_URL", reason=f"{reason}and {processes[0]} is receiving them; stop it first")
    if secret is None:
        advice = "stop that program and call the Bot API method deleteWebhook"
        raise BadSetting(name="WEBHOOK_URL", reason=f"{reason}which another program registered; {advice}")
    if wanted:
        logger.warning("Moving the webhook from %s", _origin(info.url))


def _processes(unit: UnitOfWork, bot_id: int) -> list[str]:
    return [instance.process for instance in instances.live_instances(unit) if instance.bot_id == bot_id]


def _new_outage() -> Outage:
    return Outage("Telegram's webhook settings")


async def _webhook_info(telegram: Bot, outage: Outage) -> WebhookInfo:
    """Return the server's information about the webhook.

    If the server doesn't provide this information, assume that no webhook is set.
    """
    try:
        return await until_answered(partial(_ask, telegram), outage, (_UnreadableAnswer, *REFUSALS))
    except (_UnreadableAnswer, *REFUSALS) as error:
        logger.warning(
            "The Bot API server does not say where it delivers updates, so this bot may replace a webhook: %s", error
        )
        return WebhookInfo(url="", has_custom_certificate=False, pending_update_count=0)


async def _ask(telegram: Bot) -> WebhookInfo:
    try:
        return await telegram.get_webhook_info()
    # PTB raises these errors for a response in an unexpected format, which simple Bot API servers may send.
    except (AttributeError, KeyError, TypeError) as error:
        raise _UnreadableAnswer(f"getWebhookInfo cannot be read ({type(error).__name__})") from error


def _refuses_secret(info: WebhookInfo) -> bool:
    return _REFUSED_SECRET.search(info.last_error_message or "") is not None


def _origin(url: str) -> str:
    """Return a URL's scheme, host and port, but not its path, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
