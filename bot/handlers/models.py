"""Handlers for admins who look after the models; to everybody else they are not there."""

from typing import Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot import keyboards
from bot.access import Access, Handler
from bot.handlers.reading import Context, received, tapped
from bot.keyboards import Kind
from bot.models_page import Models

COMMANDS: Final = ("model", "models")


class ModelHandlers:
    """What an admin can do with models; what is owed is committed when a handler returns."""

    def __init__(self, access: Access, models: Models) -> None:
        self._access = access
        self._models = models

    def table(self) -> list[Handler]:
        """Every handler; they come before those for everybody."""
        handlers: list[Handler] = [
            CommandHandler("model", self.model),
            CommandHandler("models", self.models),
            CallbackQueryHandler(self.on_models, pattern=keyboards.pattern(Kind.MODELS)),
        ]
        return [self._access.guard(handler) for handler in handlers]

    async def model(self, update: Update, _: Context) -> None:
        """``/model``."""
        await self._models.show(received([update]))

    async def models(self, update: Update, _: Context) -> None:
        """``/models``."""
        await self._models.show_all(received([update]))

    async def on_models(self, update: Update, _: Context) -> None:
        """A tap under the list of models."""
        await self._models.tapped(*tapped(update, keyboards.read_on_models))
