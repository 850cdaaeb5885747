"""Tells people who asked for it that their corrections are in the model that answers now, once for each model."""

import asyncio
import logging
from typing import Final

from bot.database import AsyncDatabase
from bot.privacy.buttons import notices_keyboard
from bot.privacy.notification_text import Reprediction, render_notification
from bot.serving.live_model import LiveModel
from bot.texts import texts_for
from storage.chat import messages, outbox
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork
from storage.training import notifications
from storage.training.notifications import CorrectionNotification, LiveRun

logger = logging.getLogger(__name__)

# Seconds between two looks, and between a look that broke and the next.
LOOK_EVERY: Final = 1.0
_AGAIN_AFTER: Final = 60.0
# Texts that a notice quotes.
MOST_TEXTS: Final = 3


class CorrectionNotifier:
    """Looks for a live model that nobody was told of, reads the corrected texts with it, and owes the notices.

    Every process that answers with the model does so, and the first to write owes the notices of all bots; the
    outboxes' sweeps find them. A process that ends before it wrote leaves nothing, and the work begins anew.
    """

    def __init__(self, store: AsyncDatabase, model: LiveModel) -> None:
        self._store = store
        self._model = model

    async def run(self) -> None:
        """Look for ever."""
        while True:
            pause = LOOK_EVERY
            try:
                await self.poll()
            # Whatever a text or the database brings about, people are told of the next model.
            except Exception:
                logger.exception("People cannot be told of the live model now")
                pause = _AGAIN_AFTER
            await asyncio.sleep(pause)

    async def poll(self) -> None:
        """Tell of the live model once, as soon as it answers here."""
        news = await self._store.read(notifications.unannounced_run)
        if news is None or news.version != self._model.version:
            return
        reread: dict[int, Reprediction] = {}
        for notice in await self._store.read(lambda unit: notifications.notifications_for(unit, news.run_id)):
            reread |= await self._read(notice)
        if any(one.verdict.version != news.version for one in reread.values()):
            return
        told = await self._store.write(lambda unit: _tell(unit, news, reread))
        if told is not None:
            logger.info("%d people hear of model %s", told, news.version)

    async def _read(self, notice: CorrectionNotification) -> dict[int, Reprediction]:
        """Read a person's texts anew, one after the other: whoever waits for an answer goes before."""
        ids = [correction.message_id for correction in notice.corrections[:MOST_TEXTS]]
        texts = await self._store.read(lambda unit: messages.get_texts(unit, ids))
        return {number: Reprediction(text, await self._model.verdict(text)) for number, text in texts.items()}


def _tell(unit: UnitOfWork, news: LiveRun, reread: dict[int, Reprediction]) -> int | None:
    """Owe the notices as people wish it now; how many, None when another process did or another model is live."""
    if notifications.unannounced_run(unit) != news or not notifications.claim_notifications(unit, news.run_id):
        return None
    told = 0
    for notice in notifications.notifications_for(unit, news.run_id):
        quoted = [
            (reread[one.message_id], one.label) for one in notice.corrections[:MOST_TEXTS] if one.message_id in reread
        ]
        texts = texts_for(notice.language)
        text = render_notification(texts, news.version, notice, quoted)
        payload = {"text": text, "parse_mode": "HTML", "reply_markup": notices_keyboard(texts, wanted=True)}
        outbox.enqueue(unit, Draft(notice.bot_id, notice.telegram_id, payload, person_id=notice.person_id))
        told += 1
    return told
