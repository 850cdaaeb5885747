"""Notifies a bot's admins once about each kind of trouble, and again if it recurs after a fix or a quiet period."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from telegram import Bot

from bot.database import AsyncDatabase
from bot.sending.outbox import Outbox
from bot.sending.replies import MessageContent
from bot.texts import fill, texts_for
from storage.chat import outbox as stored_outbox
from storage.chat import people, troubles
from storage.db.database import UnitOfWork
from storage.db.outages import DATABASE_OUTAGES

# Time without a trouble that recurs on its own, after which the admins are notified of it again.
QUIET_PERIOD: Final = timedelta(hours=1)


class Troubles:
    """Enqueues one message for each admin who has written to a bot."""

    def __init__(self, bot: Bot, database: AsyncDatabase, outbox: Outbox, admin_ids: Collection[int]) -> None:
        self._bot = bot
        self._database = database
        self._outbox = outbox
        self._admin_ids = admin_ids

    def unreported(self, unit: UnitOfWork, kinds: Collection[str]) -> set[str]:
        """Return the kinds of trouble for which ``enqueue`` would enqueue a notice."""
        if not kinds or not people.languages_of(unit, self._admin_ids):
            return set()
        return set(kinds) - troubles.reported(unit, self._bot.id, kinds)

    def enqueue(
        self, unit: UnitOfWork, kind: str, text: str, at: datetime | None = None, /, **values: object
    ) -> list[int]:
        """Enqueue the notice ``text`` unless the admins already know about this kind of trouble.

        Return the chats to pass to ``wake``. ``text`` is the name of one of the bot's texts, and ``values`` fill its
        placeholders. If ``at`` (the time of the trouble) is given, the admins are notified again after a quiet period,
        otherwise only after ``forget``.
        """
        admins = people.languages_of(unit, self._admin_ids)
        if not admins or not self._claim(unit, kind, at):
            return []
        for admin_id, language in admins.items():
            content = MessageContent(fill(getattr(texts_for(language), text), **values))
            stored_outbox.enqueue(unit, content.draft(self._bot.id, admin_id))
        return list(admins)

    def wake(self, admin_ids: Collection[int]) -> None:
        """Start sending notices to the admins with these ids. Call this after the commit."""
        for admin_id in admin_ids:
            self._outbox.wake(admin_id)

    async def report(self, kind: str, text: str, at: datetime | None = None, /, **values: object) -> None:
        """Enqueue a notice in a separate unit of work, or skip it during a database outage."""
        with suppress(*DATABASE_OUTAGES):
            self.wake(await self._database.write(lambda unit: self.enqueue(unit, kind, text, at, **values)))

    async def forget(self, kind: str) -> None:
        """Record that the trouble is over, so that the admins are notified if it comes back."""
        with suppress(*DATABASE_OUTAGES):
            await self._database.write(lambda unit: troubles.forget_report(unit, self._bot.id, kind))

    def _claim(self, unit: UnitOfWork, kind: str, at: datetime | None) -> bool:
        if at is None:
            return troubles.claim_report(unit, self._bot.id, kind)
        return troubles.claim_report_after(unit, self._bot.id, kind, at, QUIET_PERIOD)
