"""Handlers that let admins retrain, promote and roll back models. All of them match only admins' updates."""

from typing import Any, Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.access import Access, Handler
from bot.admin.blocking import BlockingDialog
from bot.admin.buttons import (
    CARD_PATTERN,
    MODELS_PATTERN,
    RUN_PATTERN,
    VOTERS_PATTERN,
    parse_card_tap,
    parse_models_tap,
    parse_run_tap,
    parse_voters_tap,
)
from bot.admin.drift_page import DriftPage
from bot.admin.models_page import ModelPages
from bot.admin.pausing import PauseDialog
from bot.admin.promotion import PromotionDialog
from bot.admin.statistics_page import StatisticsPage
from bot.admin.status_page import StatusPage
from bot.admin.training_runs import RetrainDialog
from bot.admin.voters_page import VotersPage
from bot.database import AsyncDatabase
from bot.receiving.update_parsing import Context, parse_incoming, parse_tap
from bot.serving.live_model import LiveModel
from core.settings import Settings
from storage.db.states import RunKind

COMMANDS: Final = (
    "retrain",
    "pause",
    "resume",
    "status",
    "stats",
    "drift",
    "export",
    "model",
    "models",
    "voters",
    "block",
    "unblock",
)
_FULL: Final = "full"


class AdminHandlers:
    """Handlers for training runs and models. Replies are enqueued before each handler returns."""

    def __init__(self, access: Access, database: AsyncDatabase, settings: Settings, model: LiveModel) -> None:
        self._access = access
        self._blocking = BlockingDialog(database, access.admin_ids)
        self._pausing = PauseDialog(database)
        self._runs = RetrainDialog(database, settings)
        self._promotion = PromotionDialog(database, settings)
        self._models = ModelPages(database, model)
        self._status = StatusPage(database, settings)
        self._voters = VotersPage(database)
        self._statistics = StatisticsPage(database)
        self._drift = DriftPage(database, model)

    def handlers(self) -> list[Handler]:
        """Return all handlers, which must come before the public handlers."""
        guarded: list[Handler] = [
            CommandHandler("retrain", self.retrain),
            CommandHandler("pause", self.pause),
            CommandHandler("resume", self.resume),
            CommandHandler("status", self.status),
            CommandHandler("stats", self.stats),
            CommandHandler("drift", self.drift),
            CommandHandler("export", self.export),
            CommandHandler("voters", self.voters),
            CommandHandler("model", self.model),
            CommandHandler("models", self.models),
            CommandHandler("block", self.block),
            CommandHandler("unblock", self.unblock),
            CallbackQueryHandler(self.on_run_tap, pattern=RUN_PATTERN),
            CallbackQueryHandler(self.on_card_tap, pattern=CARD_PATTERN),
            CallbackQueryHandler(self.on_models_tap, pattern=MODELS_PATTERN),
            CallbackQueryHandler(self.on_voters_tap, pattern=VOTERS_PATTERN),
        ]
        return [self._access.guard(handler) for handler in guarded]

    async def retrain(self, update: Update, context: Context) -> None:
        """Handle ``/retrain`` and ``/retrain full``."""
        words: list[Any] = context.args or []
        kind = RunKind.FULL_RUN if [str(word).lower() for word in words] == [_FULL] else RunKind.FEEDBACK_ROUND
        await self._runs.start(parse_incoming([update]), kind)

    async def pause(self, update: Update, _: Context) -> None:
        """Handle ``/pause``."""
        await self._pausing.pause(parse_incoming([update]))

    async def resume(self, update: Update, _: Context) -> None:
        """Handle ``/resume``."""
        await self._pausing.resume(parse_incoming([update]))

    async def status(self, update: Update, _: Context) -> None:
        """Handle ``/status``."""
        await self._status.show(parse_incoming([update]))

    async def stats(self, update: Update, _: Context) -> None:
        """Handle ``/stats``."""
        await self._statistics.show(parse_incoming([update]))

    async def drift(self, update: Update, _: Context) -> None:
        """Handle ``/drift``."""
        await self._drift.show(parse_incoming([update]))

    async def export(self, update: Update, _: Context) -> None:
        """Handle ``/export``."""
        await self._statistics.export(parse_incoming([update]))

    async def voters(self, update: Update, context: Context) -> None:
        """Handle ``/voters`` and ``/voters ID``."""
        await self._voters.start(parse_incoming([update]), context.args or [])

    async def model(self, update: Update, _: Context) -> None:
        """Handle ``/model``."""
        await self._models.show(parse_incoming([update]))

    async def models(self, update: Update, _: Context) -> None:
        """Handle ``/models``."""
        await self._models.show_all(parse_incoming([update]))

    async def block(self, update: Update, context: Context) -> None:
        """Handle ``/block ID``."""
        await self._blocking.block(parse_incoming([update]), context.args or [])

    async def unblock(self, update: Update, context: Context) -> None:
        """Handle ``/unblock ID``."""
        await self._blocking.unblock(parse_incoming([update]), context.args or [])

    async def on_run_tap(self, update: Update, _: Context) -> None:
        """Handle a tap under a run's message."""
        await self._runs.handle_tap(*parse_tap(update, parse_run_tap))

    async def on_card_tap(self, update: Update, _: Context) -> None:
        """Handle a tap under a decision card."""
        await self._promotion.handle_tap(*parse_tap(update, parse_card_tap))

    async def on_models_tap(self, update: Update, _: Context) -> None:
        """Handle a tap under the list of models."""
        await self._models.handle_tap(*parse_tap(update, parse_models_tap))

    async def on_voters_tap(self, update: Update, _: Context) -> None:
        """Handle a tap that opens another page of voters or votes."""
        await self._voters.handle_tap(*parse_tap(update, parse_voters_tap))
