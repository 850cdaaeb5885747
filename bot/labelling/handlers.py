"""Handlers for labellers, and for the admins who decide where labellers disagree."""

from typing import Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.access import Access, Handler
from bot.labelling.buttons import LABEL_PATTERN, SETTLE_PATTERN, parse_offer_tap, parse_quarantine_tap
from bot.labelling.label import LabellingDialog
from bot.labelling.quarantine import QuarantineDialog
from bot.transport.update_parsing import Context, parse_incoming, parse_tap

COMMANDS: Final = ("label",)
ADMIN_COMMANDS: Final = ("quarantine",)


class LabellerHandlers:
    """What labellers can do, and admins with what they disagree on; what is owed is committed when a handler returns.

    An offer is found by the person that it was made to, so a tap by anybody else finds none.
    """

    def __init__(self, access: Access, labelling: LabellingDialog, quarantining: QuarantineDialog) -> None:
        self._access = access
        self._labelling = labelling
        self._quarantining = quarantining

    def table(self) -> list[Handler]:
        """Every handler; they come before those that take what is left."""
        new = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
        for_admins: list[Handler] = [
            CommandHandler("quarantine", self.quarantine),
            CallbackQueryHandler(self.on_quarantined, pattern=SETTLE_PATTERN),
        ]
        return [
            CommandHandler("label", self.label, filters=new),
            CallbackQueryHandler(self.on_offer, pattern=LABEL_PATTERN),
            *(self._access.guard(handler) for handler in for_admins),
        ]

    async def label(self, update: Update, _: Context) -> None:
        """``/label``."""
        await self._labelling.start(parse_incoming([update]))

    async def on_offer(self, update: Update, _: Context) -> None:
        """A tap under a text that was offered for a label."""
        await self._labelling.handle_tap(*parse_tap(update, parse_offer_tap))

    async def quarantine(self, update: Update, _: Context) -> None:
        """``/quarantine``."""
        await self._quarantining.start(parse_incoming([update]))

    async def on_quarantined(self, update: Update, _: Context) -> None:
        """A tap under a text that people disagree on."""
        await self._quarantining.handle_tap(*parse_tap(update, parse_quarantine_tap))
