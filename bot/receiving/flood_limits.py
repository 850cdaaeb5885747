"""Drops updates that exceed a chat's limits before they are stored, and asks the person once to slow down."""

import logging
import time
from collections.abc import Callable

from telegram import Bot

from bot.database import AsyncDatabase
from bot.receiving.raw_update import RawUpdate
from bot.receiving.token_buckets import Admission, TokenBuckets
from bot.sending.outbox import Outbox
from bot.sending.replies import MessageContent
from bot.texts import texts_for
from core.settings import Settings
from storage.chat import outbox as stored_outbox
from storage.chat import people
from storage.db.database import UnitOfWork
from storage.db.outages import DATABASE_ERRORS

logger = logging.getLogger(__name__)


class FloodLimits:
    """Limits messages and taps from each chat. A private chat has the same id as the person in it."""

    def __init__(
        self,
        bot: Bot,
        database: AsyncDatabase,
        outbox: Outbox,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bot = bot
        self._database = database
        self._outbox = outbox
        self._messages = TokenBuckets(settings.messages_per_minute, clock)
        self._taps = TokenBuckets(settings.taps_per_minute, clock)

    async def admits(self, update: RawUpdate) -> bool:
        """Return whether to store and handle an update.

        Ask the person to slow down after the first update above a limit.
        """
        if update.chat_id is None:
            return True
        buckets = self._messages if update.tap_id is None else self._taps
        admission = buckets.take(update.chat_id)
        if admission is Admission.FIRST_REFUSAL:
            logger.warning("Chat %d exceeds a limit. Its updates are dropped until it slows down", update.chat_id)
            if update.chat_id == update.sender_id:
                await self._ask_to_slow_down(update.chat_id)
        return admission is Admission.GRANTED

    async def _ask_to_slow_down(self, chat_id: int) -> None:
        def work(unit: UnitOfWork) -> None:
            language = people.languages_of(unit, [chat_id]).get(chat_id)
            content = MessageContent(texts_for(language).slow_down)
            stored_outbox.enqueue(unit, content.draft(self._bot.id, chat_id))

        try:
            await self._database.write(work)
        # Other people's updates must not wait for this notice.
        except DATABASE_ERRORS as error:
            logger.warning("Could not ask chat %d to slow down: %s", chat_id, type(error).__name__)
        else:
            self._outbox.wake(chat_id)
