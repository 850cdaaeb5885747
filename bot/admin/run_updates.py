"""Keeps the messages about training runs up to date and notifies admins of finished runs."""

from datetime import UTC, datetime, timedelta
from typing import Final

from bot.admin.promotion import enqueue_card
from bot.admin.training_runs import asks_to_cancel, run_content, serialize_content
from bot.database import AsyncDatabase
from bot.polling import poll_every
from bot.sending.outbox import Outbox
from bot.texts import texts_for
from core.settings import Settings
from storage.chat import outbox as stored_outbox
from storage.chat.outbox import ReplyStatus
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.training import followers, runs
from storage.training.followers import Follower, Recipient
from storage.training.runs import EVALUATED

# Seconds between polls.
POLL_SECONDS: Final = 1.0
# Minimum time between edits to a message, because Telegram throttles bots that edit more often.
EDIT_INTERVAL: Final = timedelta(seconds=2)
# Maximum time after a run's end for notifying admins who don't follow the run.
_MAX_AGE: Final = timedelta(days=1)


class RunUpdates:
    """Enqueues edits while runs are in progress, and decisions when runs end. All state is in the database."""

    def __init__(self, database: AsyncDatabase, outbox: Outbox, bot_id: int, settings: Settings) -> None:
        self._database = database
        self._outbox = outbox
        self._bot_id = bot_id
        self._settings = settings
        self._admin_ids = frozenset(settings.admin_ids)

    async def run(self) -> None:
        """Call ``poll`` at a fixed interval until cancelled."""
        await poll_every(POLL_SECONDS, lambda: self.poll(datetime.now(UTC)), "Could not update the training runs")

    async def poll(self, now: datetime) -> None:
        """Update every outdated message, and notify admins when a run that they don't follow finishes."""
        for follower in await self._database.read(lambda unit: self._outdated(unit, now)):
            if await self._database.write(lambda unit, one=follower: self._update(unit, one, now)):  # type: ignore[misc]
                self._outbox.wake(follower.chat_id)
        since = now - _MAX_AGE
        found = await self._database.read(
            lambda unit: followers.unnotified_admins(unit, self._bot_id, self._admin_ids, since)
        )
        run_id, admins = found or (0, [])
        for admin in admins:
            if await self._database.write(lambda unit, to=admin: self._notify(unit, run_id, to)):  # type: ignore[misc]
                self._outbox.wake(admin.chat_id)

    def _outdated(self, unit: UnitOfWork, now: datetime) -> list[Follower]:
        """Return the followers who are still admins and whose outdated message can be edited now."""
        following = [one for one in followers.active_followers(unit, self._bot_id) if one.chat_id in self._admin_ids]
        return [follower for follower in following if _is_due(unit, follower, now)]

    def _update(self, unit: UnitOfWork, follower: Follower, now: datetime) -> bool:
        """Enqueue the edit and, at a run's end, the decision.

        Return False if no edit is due or another process has already enqueued it.
        """
        if not _is_due(unit, follower, now):
            return False
        run, texts = runs.get_run(unit, follower.run_id), texts_for(follower.language)
        content = run_content(texts, run, asking=asks_to_cancel(follower.shown, run.id))
        shown = serialize_content(content)
        if not followers.claim_edit(unit, follower, shown):
            return False
        if shown != follower.shown:
            target = _message_of(stored_outbox.reply_status(unit, follower.reply_id))
            reply_id = stored_outbox.enqueue(unit, content.draft(follower.bot_id, follower.chat_id, edits=target))
            followers.set_reply(unit, follower, reply_id)
        if not run.open and followers.stop_following(unit, follower) and run.state in EVALUATED:
            enqueue_card(unit, run, follower.bot_id, follower.chat_id, texts, self._settings)
        return True

    def _notify(self, unit: UnitOfWork, run_id: int, admin: Recipient) -> bool:
        """Enqueue a run's result for an admin who doesn't follow the run.

        Return False if another process enqueued it.
        """
        if not followers.mark_notified(unit, run_id, self._bot_id, admin.chat_id):
            return False
        run, texts = runs.get_run(unit, run_id), texts_for(admin.language)
        if run.state in EVALUATED:
            enqueue_card(unit, run, self._bot_id, admin.chat_id, texts, self._settings)
        else:
            content = run_content(texts, run, asking=False)
            stored_outbox.enqueue(unit, content.draft(self._bot_id, admin.chat_id))
        return True


def _is_due(unit: UnitOfWork, follower: Follower, now: datetime) -> bool:
    run = runs.get_run(unit, follower.run_id)
    last = stored_outbox.reply_status(unit, follower.reply_id)
    if last is not None and last.state in (ReplyState.PENDING, ReplyState.SENDING):
        return False
    if last is not None and now - last.changed_at < EDIT_INTERVAL:
        return False
    if not run.open:
        return True
    # If a chat can't be reached, the next attempt is at the end of the run.
    reachable = last is None or last.state is not ReplyState.FAILED
    content = run_content(texts_for(follower.language), run, asking=asks_to_cancel(follower.shown, run.id))
    return reachable and serialize_content(content) != follower.shown


def _message_of(last: ReplyStatus | None) -> int | None:
    """Return the message to edit, or None if it was deleted or may not have arrived. In that case, send a new one."""
    return last.telegram_message_id if last is not None and last.state is ReplyState.SENT else None
