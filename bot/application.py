"""Creates the bot's components, and starts and stops them in order."""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress

from telegram import Update

from bot.access import Access
from bot.admin.drift_notices import DriftNotices
from bot.admin.live_notices import LiveNotices
from bot.admin.refusal_notices import RefusalNotices
from bot.admin.run_updates import RunUpdates
from bot.admin.trial_notices import TrialNotices
from bot.admin.uncertain_notices import UncertainNotices
from bot.all_handlers import ADMIN_COMMANDS, PUBLIC_COMMANDS, all_handlers
from bot.connection.contact import TelegramContact
from bot.database import AsyncDatabase
from bot.privacy.daily_purge import purge_daily
from bot.privacy.notifier import CorrectionNotifier
from bot.ptb_application import build_application
from bot.receiving.failed_updates import FailedUpdates
from bot.receiving.flood_limits import FloodLimits
from bot.receiving.inbox import Inbox
from bot.receiving.message_parts import Post
from bot.receiving.receiver import Receiver
from bot.receiving.update_parsing import updates_in
from bot.sending.arrivals import Arrivals
from bot.sending.calls import Voting
from bot.sending.command_menu import CommandMenus
from bot.sending.outbox import Outbox
from bot.sending.troubles import Troubles
from bot.serving.live_model import LiveModel
from bot.serving.reloader import ModelReloader
from core.settings import Settings
from storage.chat import blocks
from storage.db.database import UnitOfWork

logger = logging.getLogger(__name__)


class Bot:
    """A running bot."""

    def __init__(self, settings: Settings, database: AsyncDatabase, model: LiveModel, reloader: ModelReloader) -> None:
        self._settings = settings
        self._database = database
        self._model = model
        self._reloader = reloader
        self._application = build_application(settings)
        telegram = self._application.bot
        voting = Voting(settings.feedback_quorum, frozenset(settings.admin_ids))
        self._outbox = Outbox(telegram, database, voting, retry_uncertain=settings.uncertain_replies == "retry")
        self._arrivals = Arrivals(database)
        self._access = Access(settings.admin_ids)
        self._troubles = Troubles(telegram, database, self._outbox, self._access.admin_ids)
        failures = FailedUpdates(telegram, database, self._outbox, self._troubles)
        limits = FloodLimits(telegram, database, self._outbox, settings)
        self._inbox = Inbox(telegram, database, self._handle, failures, limits.admits)
        self._receiver = Receiver(settings, self._application, database, self._inbox, self._troubles)
        self._menus = CommandMenus(telegram, database, self._access.admin_ids, PUBLIC_COMMANDS, ADMIN_COMMANDS)
        self._application.add_handlers(all_handlers(settings, database, model, self._access))
        self._application.add_error_handler(failures.on_error)

    @property
    def contact(self) -> TelegramContact:
        """The state of this bot's connection to Telegram."""
        return self._receiver.contact

    async def run(self, stop: asyncio.Event) -> None:
        """Handle updates until ``stop`` is set. Raise BadSetting if Telegram ever refuses the token."""
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
        """Start every component, register its shutdown with ``running``, and answer updates until receiving ends."""
        running.push_async_callback(self._receiver.close)
        await self._receiver.open()
        running.push_async_callback(self._reloader.stop)
        await self._reloader.start(self._application.bot.id)
        await self._database.write(self._unblock_admins)
        running.push_async_callback(self._outbox.stop)
        await self._outbox.start()
        running.push_async_callback(self._inbox.stop)
        self._inbox.start()
        running.push_async_callback(self._receiver.stop)
        await self._receiver.start()
        for work in (
            self._menus.publish(),
            RunUpdates(self._database, self._outbox, self._application.bot.id, self._settings).run(),
            RefusalNotices(self._database, self._troubles, self._application.bot.id).run(),
            TrialNotices(self._database, self._troubles).run(),
            LiveNotices(self._database, self._troubles).run(),
            UncertainNotices(self._database, self._troubles, self._application.bot.id).run(),
            DriftNotices(
                self._database, self._outbox, self._model, self._application.bot.id, self._access.admin_ids
            ).run(),
            CorrectionNotifier(self._database, self._model).run(),
            purge_daily(self._database, self._settings),
            self._reloader.run(),
            self._reloader.send_heartbeats(),
        ):
            running.callback(asyncio.create_task(work).cancel)
        logger.info("Answering with model %s", self._model.version)
        await self._receiver.wait()

    def _unblock_admins(self, unit: UnitOfWork) -> None:
        """Unblock people who have become admins."""
        for admin_id in self._access.admin_ids:
            blocks.unblock(unit, admin_id)

    async def _handle(self, update: Update | Post) -> None:
        """Handle an update from the inbox, then wake the outbox to send the enqueued replies."""
        for piece in updates_in(update):
            await self._arrivals.note(piece)
        await self._application.process_update(update)
        first = update.pieces[0] if isinstance(update, Post) else update
        if first.effective_user is not None:
            self._menus.on_person(first.effective_user.id)
        if first.effective_chat is not None:
            self._outbox.wake(first.effective_chat.id)
