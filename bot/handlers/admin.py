"""Handlers for admins who retrain the model; to everybody else they are not there."""

from typing import Any, Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot import keyboards
from bot.access import Access, Handler
from bot.deciding import Deciding
from bot.handlers.reading import Context, received, tapped
from bot.keyboards import Kind
from bot.retraining import Retraining
from storage.training_runs import RunKind

COMMANDS: Final = ("retrain",)
_FULL: Final = "full"


class AdminHandlers:
    """What an admin can do with training runs; what is owed is committed when a handler returns."""

    def __init__(self, access: Access, retraining: Retraining, deciding: Deciding) -> None:
        self._access = access
        self._retraining = retraining
        self._deciding = deciding

    def table(self) -> list[Handler]:
        """Every handler; they come before those for everybody."""
        handlers: list[Handler] = [
            CommandHandler("retrain", self.retrain),
            CallbackQueryHandler(self.on_run, pattern=keyboards.pattern(Kind.RUN)),
            CallbackQueryHandler(self.on_card, pattern=keyboards.pattern(Kind.CARD)),
        ]
        return [self._access.guard(handler) for handler in handlers]

    async def retrain(self, update: Update, context: Context) -> None:
        """``/retrain``, and ``/retrain full``."""
        words: list[Any] = context.args or []
        kind = RunKind.FULL_RUN if [str(word).lower() for word in words] == [_FULL] else RunKind.FEEDBACK_ROUND
        await self._retraining.start(received([update]), kind)

    async def on_run(self, update: Update, _: Context) -> None:
        """A tap under the message of a run."""
        await self._retraining.tapped(*tapped(update, keyboards.read_on_run))

    async def on_card(self, update: Update, _: Context) -> None:
        """A tap under a decision."""
        await self._deciding.decide(*tapped(update, keyboards.read_on_card))
