"""Watches training runs and keeps the messages of those who follow them up to date."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from bot.admin.promotion import enqueue_card
from bot.admin.training_runs import asks, note_of, run_payload
from bot.database import AsyncDatabase
from bot.texts import texts_for
from bot.transport.outbox import Outbox
from storage.chat import outbox as stored_outbox
from storage.chat.outbox import Draft, ReplyStatus
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.errors import StorageError
from storage.training import followers, runs
from storage.training.followers import Follower, Recipient
from storage.training.runs import EVALUATED

logger = logging.getLogger(__name__)

# Seconds between two looks at the rows.
LOOK_EVERY: Final = 1.0
# Telegram slows a bot down that edits more often than this.
EDIT_EVERY: Final = timedelta(seconds=2)
# Who follows no run hears of the newest one, unless it ended longer ago than this.
_NEWS_FOR: Final = timedelta(days=1)


class RunUpdates:
    """Owes changes of messages as runs go on, and the decision when they end; the rows outlive this process."""

    def __init__(self, store: AsyncDatabase, outbox: Outbox, bot_id: int, admin_ids: frozenset[int]) -> None:
        self._store = store
        self._outbox = outbox
        self._bot_id = bot_id
        self._admin_ids = admin_ids

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.poll(datetime.now(UTC))
            except (SQLAlchemyError, StorageError):
                logger.exception("The training runs cannot be read now")
            await asyncio.sleep(LOOK_EVERY)

    async def poll(self, now: datetime) -> None:
        """Bring what is shown up to date once."""
        for follower in await self._store.read(lambda unit: self._outdated(unit, now)):
            if await self._store.write(lambda unit, one=follower: _update(unit, one, now)):  # type: ignore[misc]
                self._outbox.wake(follower.chat_id)
        since = now - _NEWS_FOR
        news = await self._store.read(
            lambda unit: followers.unnotified_admins(unit, self._bot_id, self._admin_ids, since)
        )
        run_id, untold = news or (0, [])
        for admin in untold:
            if await self._store.write(lambda unit, to=admin: _tell(unit, run_id, self._bot_id, to)):  # type: ignore[misc]
                self._outbox.wake(admin.chat_id)

    def _outdated(self, unit: UnitOfWork, now: datetime) -> list[Follower]:
        """Who sees something that is not so any more, and may be shown the change now: only admins may."""
        following = [one for one in followers.active_followers(unit, self._bot_id) if one.chat_id in self._admin_ids]
        return [follower for follower in following if _due(unit, follower, now)]


def _due(unit: UnitOfWork, follower: Follower, now: datetime) -> bool:
    run = runs.get_run(unit, follower.run_id)
    last = stored_outbox.reply_status(unit, follower.reply_id)
    if last is not None and last.state in (ReplyState.PENDING, ReplyState.SENDING):
        return False
    if last is not None and now - last.changed_at < EDIT_EVERY:
        return False
    if not run.open:
        return True
    # To somebody who cannot be reached nothing is shown before the end.
    reached = last is None or last.state is not ReplyState.FAILED
    payload = run_payload(texts_for(follower.language), run, asking=asks(follower.shown, run.id))
    return reached and note_of(payload) != follower.shown


def _update(unit: UnitOfWork, follower: Follower, now: datetime) -> bool:
    """Owe the change, and at a run's end the decision; False when another process did, or it is not due any more."""
    if not _due(unit, follower, now):
        return False
    run, texts = runs.get_run(unit, follower.run_id), texts_for(follower.language)
    payload = run_payload(texts, run, asking=asks(follower.shown, run.id))
    shown = note_of(payload)
    if not followers.claim_edit(unit, follower, shown):
        return False
    if shown != follower.shown:
        target = _message_of(stored_outbox.reply_status(unit, follower.reply_id))
        reply_id = stored_outbox.enqueue(unit, Draft(follower.bot_id, follower.chat_id, payload, edits=target))
        followers.set_reply(unit, follower, reply_id)
    if not run.open and followers.stop_following(unit, follower) and run.state in EVALUATED:
        enqueue_card(unit, run, follower.bot_id, follower.chat_id, texts)
    return True


def _message_of(last: ReplyStatus | None) -> int | None:
    """The message to change; None where it never arrived for certain, or is gone: then a new one is sent."""
    return last.telegram_message_id if last is not None and last.state is ReplyState.SENT else None


def _tell(unit: UnitOfWork, run_id: int, bot_id: int, admin: Recipient) -> bool:
    """Owe the news of a run that ended to an admin who did not follow it; False when another process did."""
    if not followers.mark_notified(unit, run_id, bot_id, admin.chat_id):
        return False
    run, texts = runs.get_run(unit, run_id), texts_for(admin.language)
    if run.state in EVALUATED:
        enqueue_card(unit, run, bot_id, admin.chat_id, texts)
    else:
        stored_outbox.enqueue(unit, Draft(bot_id, admin.chat_id, run_payload(texts, run, asking=False)))
    return True
