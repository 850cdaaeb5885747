"""Notifies people who opted in, once per model, that the live model learned from their corrections."""

import logging
from typing import Final

from bot.database import AsyncDatabase
from bot.polling import poll_every
from bot.privacy.buttons import notices_keyboard
from bot.privacy.notification_text import Reprediction, render_notification
from bot.sending.replies import MessageContent
from bot.serving.live_model import LiveModel
from bot.texts import texts_for
from storage.chat import messages, outbox
from storage.db.database import UnitOfWork
from storage.training import notifications
from storage.training.notifications import CorrectionNotification, LiveRun

logger = logging.getLogger(__name__)

# Seconds between polls, and seconds to wait after a failed poll.
POLL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 60.0
# Maximum number of texts to quote in a notice.
MAX_QUOTED_TEXTS: Final = 3


class CorrectionNotifier:
    """Finds a live model that hasn't been announced, classifies the corrected texts with it, and enqueues the notices.

    Every bot instance that serves the model does this, and the first to commit enqueues the notices for all bots. Each
    bot's outbox finds its notices in the next sweep. If an instance exits before it commits, nothing is stored, and
    another instance starts over.
    """

    def __init__(self, database: AsyncDatabase, model: LiveModel) -> None:
        self._database = database
        self._model = model

    async def run(self) -> None:
        """Call ``poll`` at a fixed interval until cancelled."""
        failure = "Could not notify people of the live model"
        await poll_every(POLL_SECONDS, self.poll, failure, retry_after=_RETRY_SECONDS)

    async def poll(self) -> None:
        """Enqueue the notices about the live model if this instance already serves it."""
        run = await self._database.read(notifications.unannounced_run)
        if run is None or run.version != self._model.version:
            return
        repredictions: dict[int, Reprediction] = {}
        for notice in await self._database.read(lambda unit: notifications.notifications_for(unit, run.run_id)):
            repredictions |= await self._predict(notice)
        if any(reprediction.verdict.version != run.version for reprediction in repredictions.values()):
            return
        count = await self._database.write(lambda unit: _enqueue(unit, run, repredictions))
        if count is not None:
            logger.info("Enqueued %d notices about model %s", count, run.version)

    async def _predict(self, notice: CorrectionNotification) -> dict[int, Reprediction]:
        """Classify a person's texts one at a time, so that people waiting for a reply are served first."""
        ids = [correction.message_id for correction in notice.corrections[:MAX_QUOTED_TEXTS]]
        texts = await self._database.read(lambda unit: messages.get_texts(unit, ids))
        return {message_id: Reprediction(text, await self._model.verdict(text)) for message_id, text in texts.items()}


def _enqueue(unit: UnitOfWork, run: LiveRun, repredictions: dict[int, Reprediction]) -> int | None:
    """Enqueue the notices that people still want, and return how many there are.

    Return None if another instance has enqueued them or a different model is live now.
    """
    if notifications.unannounced_run(unit) != run or not notifications.claim_notifications(unit, run.run_id):
        return None
    notices = notifications.notifications_for(unit, run.run_id)
    for notice in notices:
        quoted = [
            (repredictions[correction.message_id], correction.label)
            for correction in notice.corrections[:MAX_QUOTED_TEXTS]
            if correction.message_id in repredictions
        ]
        texts = texts_for(notice.language)
        text = render_notification(texts, run.version, notice, quoted)
        content = MessageContent(text, notices_keyboard(texts, wanted=True), person_id=notice.person_id)
        outbox.enqueue(unit, content.draft(notice.bot_id, notice.telegram_id))
    return len(notices)
