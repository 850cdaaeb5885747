"""Training runs that admins ask for in the chat, follow and cancel. Knows no Telegram types."""

import asyncio
import json
import logging
from dataclasses import replace

from bot.admin.buttons import RunAction, RunTap, run_keyboard
from bot.admin.run_text import render_run
from bot.database import AsyncDatabase
from bot.texts import Texts
from bot.transport.conversation import Incoming, MessageContent, Tap, edit, send, text_payload
from broker.queues import notify_worker
from core.errors import ThumbsError
from core.settings import Settings
from storage.chat import outbox
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork
from storage.db.states import RunKind, Trigger
from storage.errors import UnknownRun
from storage.training import followers, runs
from storage.training.followers import Follower
from storage.training.runs import Run, RunRequest

logger = logging.getLogger(__name__)


class RetrainDialog:
    """Runs on request; what it owes is committed when a method returns."""

    def __init__(self, store: AsyncDatabase, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._nudges: set[asyncio.Task[None]] = set()

    async def start(self, received: Incoming, kind: RunKind) -> None:
        """Ask for a run, or join the one that is open, and follow it in a new message."""

        def work(unit: UnitOfWork) -> RunRequest:
            received.sender.upsert(unit)
            ask = runs.request_run(unit, kind, Trigger.ADMIN, received.sender.telegram_id)
            if not ask.new:
                send(unit, received, MessageContent(received.texts.run_joined))
            _follow(unit, received, ask.run)
            received.finish(unit)
            return ask

        ask = await self._store.write(work)
        if ask.new:
            # Beside the chat: a broker that hangs must not hold up the answer.
            task = asyncio.create_task(self._nudge(ask.run.id))
            self._nudges.add(task)
            task.add_done_callback(self._nudges.discard)

    async def handle_tap(self, tap: Tap, on_run: RunTap) -> None:
        """Ask whether to cancel a run, cancel it, or let it go on, and show that in its message."""

        def work(unit: UnitOfWork) -> None:
            _tapped(unit, tap, on_run)
            tap.incoming.finish(unit)

        await self._store.write(work)

    async def _nudge(self, run_id: int) -> None:
        try:
            await asyncio.to_thread(notify_worker, self._settings, run_id)
        except ThumbsError as error:
            logger.warning("No worker was told of run %d: %s", run_id, error)


def run_payload(texts: Texts, run: Run, *, asking: bool) -> dict[str, object]:
    """The message of a run; ``asking`` whether to cancel it, as long as it can be."""
    keyboard = run_keyboard(texts, run.id, asking) if run.open and not run.cancel_asked else None
    return text_payload(render_run(texts, run), keyboard)


def note_of(payload: dict[str, object]) -> str:
    """What a follower's row keeps of what its message shows."""
    return json.dumps(payload, sort_keys=True)


def asks(shown: str | None, run_id: int) -> bool:
    """Whether a message that was noted so asks whether to cancel."""
    return shown is not None and f"run:{run_id}:{RunAction.YES}" in shown


def _follow(unit: UnitOfWork, received: Incoming, run: Run) -> None:
    """Owe the message of the run; one in the same chat that followed it before says that this one does."""
    bot_id, chat_id = received.bot_id, received.chat_id
    earlier = followers.find_follower(unit, run.id, bot_id, chat_id)
    if earlier is not None:
        moved = text_payload(received.texts.run_moved, None)
        outbox.enqueue(unit, Draft(bot_id, chat_id, moved, revises=earlier.reply_id))
    payload = run_payload(received.texts, run, asking=False)
    reply_id = outbox.enqueue(unit, Draft(bot_id, chat_id, payload))
    language = received.sender.language
    followers.follow(unit, Follower(run.id, bot_id, chat_id, reply_id, language, note_of(payload)))


def _tapped(unit: UnitOfWork, tap: Tap, on_run: RunTap) -> None:
    received = tap.incoming
    try:
        if on_run.action is RunAction.YES:
            runs.cancel(unit, on_run.run_id)
        run = runs.get_run(unit, on_run.run_id)
    except UnknownRun:
        edit(unit, received, tap.telegram_message_id, MessageContent(received.texts.run_gone))
        return
    payload = run_payload(received.texts, run, asking=on_run.action is RunAction.CANCEL)
    draft = Draft(received.bot_id, received.chat_id, payload, edits=tap.telegram_message_id)
    follower = followers.find_follower(unit, run.id, received.bot_id, received.chat_id)
    reply_id = outbox.enqueue(unit, draft)
    if follower is not None:
        followers.set_shown(unit, replace(follower, reply_id=reply_id, shown=note_of(payload)))
