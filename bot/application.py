"""The bot put together: every part made once, started and stopped in order."""

import asyncio
import logging
import secrets
from contextlib import AsyncExitStack, suppress
from urllib.parse import urlsplit

from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, Updater

from bot.access import Access
from bot.admin.handlers import COMMANDS as ADMIN_COMMANDS
from bot.admin.handlers import AdminHandlers
from bot.admin.models_page import ModelPages
from bot.admin.promotion import PromotionDialog
from bot.admin.run_updates import RunUpdates
from bot.admin.training_runs import RetrainDialog
from bot.database import AsyncDatabase
from bot.labelling.handlers import ADMIN_COMMANDS as QUARANTINE_COMMANDS
from bot.labelling.handlers import COMMANDS as LABEL_COMMANDS
from bot.labelling.handlers import LabellerHandlers
from bot.labelling.label import LabellingDialog
from bot.labelling.quarantine import QuarantineDialog
from bot.privacy.consent import PrivacyDialog
from bot.privacy.daily_purge import purge_daily
from bot.privacy.handlers import COMMANDS as PRIVACY_COMMANDS
from bot.privacy.handlers import PrivacyHandlers
from bot.privacy.notifier import CorrectionNotifier
from bot.reviews.answers import ReviewResponder
from bot.reviews.handlers import COMMANDS, ReviewHandlers
from bot.reviews.votes import VoteRecorder
from bot.serving.live_model import LiveModel
from bot.serving.reloader import ModelReloader
from bot.transport.command_menu import CommandMenus
from bot.transport.error_handler import ErrorHandler
from bot.transport.inbox import Inbox
from bot.transport.message_parts import JoinedText
from bot.transport.outbox import Outbox
from core.errors import BadSetting
from core.settings import Settings

logger = logging.getLogger(__name__)

# What Telegram sends: PTB would ask for everything that it knows.
_UPDATES = ["message", "edited_message", "callback_query"]
# Seconds between two tries to reach Telegram at start.
_REACH_AGAIN = 1.0
# The name that PTB gives the task that polls; when it ends, the bot is deaf.
_POLLING = "Updater:start_polling:polling_task"
_REFUSED = "Telegram does not know it, or knows it no longer"


class Bot:
    """One running bot."""

    def __init__(self, settings: Settings, store: AsyncDatabase, model: LiveModel, swapping: ModelReloader) -> None:
        self._settings = settings
        self._store = store
        self._model = model
        self._swapping = swapping
        self._application = _build(settings)
        telegram = self._application.bot
        self._outbox = Outbox(telegram, store)
        self._inbox = Inbox(telegram, store, self._handle)
        self._updater = Updater(telegram, self._inbox)
        privacy = PrivacyDialog(store, settings.retention_days)
        self._access = Access(settings.admin_ids)
        for_all = (*COMMANDS, *PRIVACY_COMMANDS, *LABEL_COMMANDS)
        for_admins = (*ADMIN_COMMANDS, *QUARANTINE_COMMANDS)
        self._menus = CommandMenus(telegram, store, self._access.admin_ids, for_all, for_admins)
        admins = AdminHandlers(
            self._access, RetrainDialog(store, settings), PromotionDialog(store), ModelPages(store, model)
        )
        labellers = LabellerHandlers(self._access, LabellingDialog(store, settings), QuarantineDialog(store, settings))
        people = ReviewHandlers(store, ReviewResponder(store, model), VoteRecorder(store))
        tables = (admins.table(), labellers.table(), PrivacyHandlers(privacy).table(), people.table())
        self._application.add_handlers([handler for table in tables for handler in table])
        self._application.add_error_handler(ErrorHandler(store, self._outbox).on_error)

    async def run(self, stop: asyncio.Event) -> None:
        """Answer until ``stop`` is set. Raises BadSetting when Telegram does not know the token (any more)."""
        async with AsyncExitStack() as running:
            stopped = asyncio.create_task(stop.wait())
            answering = asyncio.create_task(self._answer(running))
            await asyncio.wait([stopped, answering], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if answering.done():
                await answering
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering

    async def _answer(self, running: AsyncExitStack) -> None:
        """Start every part, leaving its end to ``running``, and answer for as long as Telegram is heard."""
        running.push_async_callback(self._application.shutdown)
        running.push_async_callback(self._updater.shutdown)
        await self._reach_telegram()
        running.push_async_callback(self._swapping.stop)
        await self._swapping.start(self._application.bot.id)
        running.push_async_callback(self._outbox.stop)
        await self._outbox.start()
        running.push_async_callback(self._inbox.stop)
        self._inbox.start()
        running.push_async_callback(self._stop_listening)
        await self._listen()
        swapping = (self._swapping.run(), self._swapping.send_heartbeats())
        watch = RunUpdates(self._store, self._outbox, self._application.bot.id, self._access.admin_ids)
        noticing = CorrectionNotifier(self._store, self._model)
        rows = (watch.run(), noticing.run(), purge_daily(self._store, self._settings))
        for work in (self._menus.publish(), *rows, *swapping):
            running.callback(asyncio.create_task(work).cancel)
        logger.info("Answering with model %s", self._model.version)
        await self._hear_on()

    async def _handle(self, update: Update | JoinedText) -> None:
        """Handle what the inbox hands on, then see to what it owes."""
        await self._application.process_update(update)
        first = update.pieces[0] if isinstance(update, JoinedText) else update
        if first.effective_user is not None:
            self._menus.on_person(first.effective_user.id)
        if first.effective_chat is not None:
            self._outbox.wake(first.effective_chat.id)

    async def _reach_telegram(self) -> None:
        """Wait for Telegram's first answer."""
        while True:
            try:
                await self._updater.initialize()
                await self._application.initialize()
            except InvalidToken as error:
                raise BadSetting(name="TELEGRAM_TOKEN", reason=_REFUSED) from error
            except TelegramError as error:
                logger.warning("Telegram cannot be reached yet: %s", error)
                await asyncio.sleep(_REACH_AGAIN)
            else:
                return

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

    async def _hear_on(self) -> None:
        """Wait for ever, or until polling ends, which it does when Telegram refuses the token."""
        polling = [task for task in asyncio.all_tasks() if task.get_name() == _POLLING]
        if not polling:
            await asyncio.Event().wait()
        ended, _ = await asyncio.wait(polling)
        try:
            ended.pop().result()
        except InvalidToken as error:
            raise BadSetting(name="TELEGRAM_TOKEN", reason=_REFUSED) from error

    async def _stop_listening(self) -> None:
        if self._updater.running:
            # What ended polling was told already.
            with suppress(TelegramError):
                await self._updater.stop()


def _build(settings: Settings) -> Application:  # type: ignore[type-arg]  # six parameters, all of them PTB's defaults
    """PTB's application without an updater of its own: ours fills the durable inbox. The outbox sits out floods."""
    api = settings.telegram_api_url.rstrip("/")
    try:
        return (
            ApplicationBuilder()
            .token(settings.token)
            .base_url(f"{api}/bot")
            .base_file_url(f"{api}/file/bot")
            .updater(None)
            .build()
        )
    except InvalidToken as error:
        raise BadSetting(name="TELEGRAM_TOKEN", reason="it is no token as @BotFather gives them") from error
