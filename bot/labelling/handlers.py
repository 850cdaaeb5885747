"""Handlers for labellers, and for admins who resolve disputes."""

from typing import Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.access import Access, Handler
from bot.labelling.buttons import (
    JOIN_PATTERN,
    LABEL_PATTERN,
    QUARANTINE_PATTERN,
    parse_join_tap,
    parse_offer_tap,
    parse_quarantine_tap,
)
from bot.labelling.label import LabellingDialog
from bot.labelling.quarantine import QuarantineDialog
from bot.receiving.update_parsing import Context, parse_incoming, parse_tap

COMMANDS: Final = ("label",)
ADMIN_COMMANDS: Final = ("quarantine",)


class LabellerHandlers:
    """Handlers for /label and /quarantine. Replies are enqueued before each handler returns.

    An offer is looked up by its id and the person who tapped, so labellers can answer only their own offers.
    """

    def __init__(self, access: Access, labelling: LabellingDialog, quarantine: QuarantineDialog) -> None:
        self._access = access
        self._labelling = labelling
        self._quarantine = quarantine

    def handlers(self) -> list[Handler]:
        """Return all handlers, which must come before the catch-all handlers."""
        new = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
        guarded: list[Handler] = [
            CommandHandler("quarantine", self.quarantine),
            CallbackQueryHandler(self.on_quarantine_tap, pattern=QUARANTINE_PATTERN),
        ]
        return [
            CommandHandler("label", self.label, filters=new),
            CallbackQueryHandler(self.on_offer_tap, pattern=LABEL_PATTERN),
            CallbackQueryHandler(self.on_join_tap, pattern=JOIN_PATTERN),
            *(self._access.guard(handler) for handler in guarded),
        ]

    async def label(self, update: Update, context: Context) -> None:
        """Handle ``/label`` and ``/label NUMBER``."""
        await self._labelling.start(parse_incoming([update]), context.args or [])

    async def on_join_tap(self, update: Update, _: Context) -> None:
        """Handle a tap that gives consent in ``/label``."""
        await self._labelling.join(*parse_tap(update, parse_join_tap))

    async def on_offer_tap(self, update: Update, _: Context) -> None:
        """Handle a tap under a text that was offered to a labeller."""
        await self._labelling.handle_tap(*parse_tap(update, parse_offer_tap))

    async def quarantine(self, update: Update, _: Context) -> None:
        """Handle ``/quarantine``."""
        await self._quarantine.start(parse_incoming([update]))

    async def on_quarantine_tap(self, update: Update, _: Context) -> None:
        """Handle a tap under a quarantined text."""
        await self._quarantine.handle_tap(*parse_tap(update, parse_quarantine_tap))
