"""Handlers for admins who retrain the model and look after models; to everybody else they are not there."""

from typing import Any, Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.access import Access, Handler
from bot.admin.buttons import CARD_PATTERN, MODELS_PATTERN, RUN_PATTERN, parse_card_tap, parse_models_tap, parse_run_tap
from bot.admin.models_page import ModelPages
from bot.admin.promotion import PromotionDialog
from bot.admin.training_runs import RetrainDialog
from bot.transport.update_parsing import Context, parse_incoming, parse_tap
from storage.db.states import RunKind

COMMANDS: Final = ("retrain", "model", "models")
_FULL: Final = "full"


class AdminHandlers:
    """What an admin can do with training runs and models; what is owed is committed when a handler returns."""

    def __init__(
        self, access: Access, retraining: RetrainDialog, deciding: PromotionDialog, models: ModelPages
    ) -> None:
        self._access = access
        self._retraining = retraining
        self._deciding = deciding
        self._models = models

    def table(self) -> list[Handler]:
        """Every handler; they come before those for everybody."""
        handlers: list[Handler] = [
            CommandHandler("retrain", self.retrain),
            CommandHandler("model", self.model),
            CommandHandler("models", self.models),
            CallbackQueryHandler(self.on_run, pattern=RUN_PATTERN),
            CallbackQueryHandler(self.on_card, pattern=CARD_PATTERN),
            CallbackQueryHandler(self.on_models, pattern=MODELS_PATTERN),
        ]
        return [self._access.guard(handler) for handler in handlers]

    async def retrain(self, update: Update, context: Context) -> None:
        """``/retrain``, and ``/retrain full``."""
        words: list[Any] = context.args or []
        kind = RunKind.FULL_RUN if [str(word).lower() for word in words] == [_FULL] else RunKind.FEEDBACK_ROUND
        await self._retraining.start(parse_incoming([update]), kind)

    async def model(self, update: Update, _: Context) -> None:
        """``/model``."""
        await self._models.show(parse_incoming([update]))

    async def models(self, update: Update, _: Context) -> None:
        """``/models``."""
        await self._models.show_all(parse_incoming([update]))

    async def on_run(self, update: Update, _: Context) -> None:
        """A tap under the message of a run."""
        await self._retraining.handle_tap(*parse_tap(update, parse_run_tap))

    async def on_card(self, update: Update, _: Context) -> None:
        """A tap under a decision."""
        await self._deciding.handle_tap(*parse_tap(update, parse_card_tap))

    async def on_models(self, update: Update, _: Context) -> None:
        """A tap under the list of models."""
        await self._models.handle_tap(*parse_tap(update, parse_models_tap))
