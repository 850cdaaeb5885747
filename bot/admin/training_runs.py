"""Starts, follows and cancels training runs from the chat. Free of Telegram types."""

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime

from bot.admin.buttons import RunAction, RunTap, run_keyboard
from bot.admin.forecast import read_forecast, render_forecast
from bot.admin.run_text import render_run
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Tap
from bot.sending.replies import MessageContent, edit, send
from bot.texts import Texts
from broker.queues import notify_worker
from core.errors import ThumbsError
from core.settings import Settings
from storage.chat import outbox
from storage.db.database import UnitOfWork
from storage.db.states import RunKind, Trigger
from storage.errors import UnknownRun
from storage.training import followers, learning_pauses, runs
from storage.training.followers import Follower
from storage.training.runs import Run, RunRequest

logger = logging.getLogger(__name__)


class RetrainDialog:
    """Starts and cancels training runs. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, incoming: Incoming, kind: RunKind) -> None:
        """Request a run or join the open one, and report its progress in a new message.

        A feedback round without usable votes would learn nothing, so it does not start.
        """

        def work(unit: UnitOfWork) -> RunRequest | None:
            incoming.sender.upsert(unit)
            request = self._request(unit, incoming, kind)
            if request is not None:
                _follow(unit, incoming, request.run)
            incoming.finish(unit)
            return request

        request = await self._database.write(work)
        if request is not None and request.new:
            # Notify the worker in the background, so that a hanging broker does not delay the reply.
            task = asyncio.create_task(self._notify_worker(request.run.id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def handle_tap(self, tap: Tap, run_tap: RunTap) -> None:
        """Ask for confirmation, cancel the run, or keep it, and show the result in the run's message."""

        def work(unit: UnitOfWork) -> None:
            _handle_tap(unit, tap, run_tap)
            tap.incoming.finish(unit)

        await self._database.write(work)

    def _request(self, unit: UnitOfWork, incoming: Incoming, kind: RunKind) -> RunRequest | None:
        """Request or join a run and say what it will be able to prove. Return None if no run starts."""
        texts, current = incoming.texts, runs.open_run(unit)
        if learning_pauses.is_paused(unit):
            send(unit, incoming, MessageContent(texts.retrain_paused))
            return None
        if current is None and kind is RunKind.FEEDBACK_ROUND:
            forecast = read_forecast(unit, self._settings)
            send(unit, incoming, MessageContent(render_forecast(texts, forecast, self._settings.feedback_quorum)))
            if not forecast.usable:
                return None
        request = runs.request_run(unit, kind, Trigger.ADMIN, incoming.sender.telegram_id)
        if not request.new:
            other = texts.run_joined_round if request.run.kind is RunKind.FEEDBACK_ROUND else texts.run_joined_full
            send(unit, incoming, MessageContent(texts.run_joined if request.run.kind is kind else other))
        return request

    async def _notify_worker(self, run_id: int) -> None:
        try:
            await asyncio.to_thread(notify_worker, self._settings, run_id)
        except ThumbsError as error:
            logger.warning("Could not notify a worker of run %d: %s", run_id, error)


def run_content(texts: Texts, run: Run, *, asking: bool) -> MessageContent:
    """Return a run's message. If ``asking`` is true and the run can be cancelled, the message asks for confirmation."""
    keyboard = run_keyboard(texts, run.id, asking) if run.open and not run.cancel_asked else None
    return MessageContent(render_run(texts, run, datetime.now(UTC)), keyboard)


def serialize_content(content: MessageContent) -> str:
    """Return the content as a string to store with the follower."""
    return json.dumps(content.payload(), sort_keys=True)


def asks_to_cancel(shown: str | None, run_id: int) -> bool:
    """Return whether the message serialised in ``shown`` asks the admin to confirm a cancellation."""
    return shown is not None and f"run:{run_id}:{RunAction.YES}" in shown


def _follow(unit: UnitOfWork, incoming: Incoming, run: Run) -> None:
    """Enqueue the run's message.

    If this chat has an earlier message about the run, make that message point to the new one.
    """
    bot_id, chat_id = incoming.bot_id, incoming.chat_id
    earlier = followers.find_follower(unit, run.id, bot_id, chat_id)
    if earlier is not None:
        moved = MessageContent(incoming.texts.run_moved)
        outbox.enqueue(unit, moved.draft(bot_id, chat_id, revises=earlier.reply_id))
    content = run_content(incoming.texts, run, asking=False)
    reply_id = send(unit, incoming, content)
    language = incoming.sender.language
    followers.follow(unit, Follower(run.id, bot_id, chat_id, reply_id, language, serialize_content(content)))


def _handle_tap(unit: UnitOfWork, tap: Tap, run_tap: RunTap) -> None:
    incoming = tap.incoming
    try:
        if run_tap.action is RunAction.YES:
            runs.cancel(unit, run_tap.run_id)
        run = runs.get_run(unit, run_tap.run_id)
    except UnknownRun:
        edit(unit, incoming, tap.telegram_message_id, MessageContent(incoming.texts.run_gone))
        return
    content = run_content(incoming.texts, run, asking=run_tap.action is RunAction.CANCEL)
    reply_id = edit(unit, incoming, tap.telegram_message_id, content)
    follower = followers.find_follower(unit, run.id, incoming.bot_id, incoming.chat_id)
    if follower is not None:
        followers.set_shown(unit, replace(follower, reply_id=reply_id, shown=serialize_content(content)))
