"""Training runs that admins ask for in the chat, follow and cancel. Knows no Telegram types."""

import asyncio
import json
import logging
from dataclasses import replace

from bot.admin.buttons import OnRun, RunTap, run_keyboard
from bot.admin.run_text import render_run
from bot.database import Store
from bot.texts import Texts
from bot.transport.conversation import Received, Shown, Tap, change, say, text_payload
from broker.queues import nudge
from core.errors import ThumbsError
from core.settings import Settings
from storage.chat import outbox
from storage.chat.outbox import Draft
from storage.db.database import Unit
from storage.db.states import RunKind, Trigger
from storage.errors import UnknownRun
from storage.training import followers, runs
from storage.training.followers import Follower
from storage.training.runs import Ask, Run

logger = logging.getLogger(__name__)


class Retraining:
    """Runs on request; what it owes is committed when a method returns."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._nudges: set[asyncio.Task[None]] = set()

    async def start(self, received: Received, kind: RunKind) -> None:
        """Ask for a run, or join the one that is open, and follow it in a new message."""

        def work(unit: Unit) -> Ask:
            received.sender.met(unit)
            ask = runs.ask(unit, kind, Trigger.ADMIN, received.sender.telegram_id)
            if not ask.new:
                say(unit, received, Shown(received.texts.run_joined))
            _follow(unit, received, ask.run)
            received.done(unit)
            return ask

        ask = await self._store.write(work)
        if ask.new:
            # Beside the chat: a broker that hangs must not hold up the answer.
            task = asyncio.create_task(self._nudge(ask.run.id))
            self._nudges.add(task)
            task.add_done_callback(self._nudges.discard)

    async def tapped(self, tap: Tap, on_run: OnRun) -> None:
        """Ask whether to cancel a run, cancel it, or let it go on, and show that in its message."""

        def work(unit: Unit) -> None:
            _tapped(unit, tap, on_run)
            tap.received.done(unit)

        await self._store.write(work)

    async def _nudge(self, run_id: int) -> None:
        try:
            await asyncio.to_thread(nudge, self._settings, run_id)
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
    return shown is not None and f"run:{run_id}:{RunTap.YES}" in shown


def _follow(unit: Unit, received: Received, run: Run) -> None:
    """Owe the message of the run; one in the same chat that followed it before says that this one does."""
    bot_id, chat_id = received.bot_id, received.chat_id
    earlier = followers.find(unit, run.id, bot_id, chat_id)
    if earlier is not None:
        moved = text_payload(received.texts.run_moved, None)
        outbox.enqueue(unit, Draft(bot_id, chat_id, moved, revises=earlier.reply_id))
    payload = run_payload(received.texts, run, asking=False)
    reply_id = outbox.enqueue(unit, Draft(bot_id, chat_id, payload))
    language = received.sender.language
    followers.follow(unit, Follower(run.id, bot_id, chat_id, reply_id, language, note_of(payload)))


def _tapped(unit: Unit, tap: Tap, on_run: OnRun) -> None:
    received = tap.received
    try:
        if on_run.wish is RunTap.YES:
            runs.cancel(unit, on_run.run_id)
        run = runs.get_run(unit, on_run.run_id)
    except UnknownRun:
        change(unit, received, tap.telegram_message_id, Shown(received.texts.run_gone))
        return
    payload = run_payload(received.texts, run, asking=on_run.wish is RunTap.CANCEL)
    draft = Draft(received.bot_id, received.chat_id, payload, changes=tap.telegram_message_id)
    follower = followers.find(unit, run.id, received.bot_id, received.chat_id)
    reply_id = outbox.enqueue(unit, draft)
    if follower is not None:
        followers.note_shown(unit, replace(follower, reply_id=reply_id, shown=note_of(payload)))
