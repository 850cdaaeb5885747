"""Handlers for people's requests about their data: what is stored, consent, settings and deletion."""

from typing import Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.access import Handler
from bot.privacy.buttons import CONSENT_PATTERN, DELETE_PATTERN, NOTICES_PATTERN, parse_consent_tap, parse_delete_tap
from bot.privacy.consent import PrivacyDialog
from bot.privacy.history import HistoryDialog
from bot.privacy.history_buttons import HISTORY_PATTERN, parse_history_tap
from bot.privacy.settings import SETTINGS_PATTERN, SettingsDialog, parse_settings_tap
from bot.receiving.update_parsing import Context, parse_incoming, parse_tap

COMMANDS: Final = ("settings", "history", "privacy", "mydata", "consent", "deleteme")


class PrivacyHandlers:
    """Handlers that anyone can use. Replies are enqueued before each handler returns."""

    def __init__(self, privacy: PrivacyDialog, history: HistoryDialog, settings: SettingsDialog) -> None:
        self._privacy = privacy
        self._settings = settings
        self._history = history

    def handlers(self) -> list[Handler]:
        """Return all handlers, which must come before the catch-all handlers."""
        new = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
        return [
            CommandHandler("privacy", self.privacy, filters=new),
            CommandHandler("mydata", self.my_data, filters=new),
            CommandHandler("history", self.history, filters=new),
            CommandHandler("settings", self.settings, filters=new),
            CommandHandler("consent", self.consent, filters=new),
            CommandHandler("deleteme", self.delete_me, filters=new),
            CallbackQueryHandler(self.set_consent, pattern=CONSENT_PATTERN),
            CallbackQueryHandler(self.set_notices, pattern=NOTICES_PATTERN),
            CallbackQueryHandler(self.delete, pattern=DELETE_PATTERN),
            CallbackQueryHandler(self.on_history_tap, pattern=HISTORY_PATTERN),
            CallbackQueryHandler(self.on_settings_tap, pattern=SETTINGS_PATTERN),
        ]

    async def privacy(self, update: Update, _: Context) -> None:
        """Handle ``/privacy``."""
        await self._privacy.explain(parse_incoming([update]))

    async def my_data(self, update: Update, _: Context) -> None:
        """Handle ``/mydata``."""
        await self._privacy.send_data(parse_incoming([update]))

    async def history(self, update: Update, _: Context) -> None:
        """Handle ``/history``."""
        await self._history.start(parse_incoming([update]))

    async def consent(self, update: Update, _: Context) -> None:
        """Handle ``/consent``."""
        await self._privacy.ask_consent(parse_incoming([update]))

    async def delete_me(self, update: Update, _: Context) -> None:
        """Handle ``/deleteme``."""
        await self._privacy.ask_deletion(parse_incoming([update]))

    async def set_consent(self, update: Update, _: Context) -> None:
        """Handle a tap under the question about consent."""
        await self._privacy.set_consent(*parse_tap(update, parse_consent_tap))

    async def set_notices(self, update: Update, _: Context) -> None:
        """Handle a tap under the question about notices, or under a notice."""
        await self._privacy.set_notices(*parse_tap(update, parse_consent_tap))

    async def delete(self, update: Update, _: Context) -> None:
        """Handle a tap on the buttons under /deleteme."""
        await self._privacy.delete(*parse_tap(update, parse_delete_tap))

    async def on_history_tap(self, update: Update, _: Context) -> None:
        """Handle a tap on the buttons under /history."""
        await self._history.handle_tap(*parse_tap(update, parse_history_tap))

    async def settings(self, update: Update, _: Context) -> None:
        """Handle ``/settings``."""
        await self._settings.start(parse_incoming([update]))

    async def on_settings_tap(self, update: Update, _: Context) -> None:
        """Handle a tap on the buttons under /settings."""
        await self._settings.handle_tap(*parse_tap(update, parse_settings_tap))
