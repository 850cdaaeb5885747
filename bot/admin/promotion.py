"""The decision card for a run: the gate's decision with a chart, and the promotion of a held candidate."""

from typing import Final

from bot.admin.buttons import CardAction, CardTap, card_keyboard
from bot.admin.run_text import render_decision
from bot.buttons import Keyboard
from bot.database import AsyncDatabase
from bot.incoming import Tap
from bot.sending.replies import MessageContent, edit
from bot.texts import Texts, fill
from storage.chat import outbox
from storage.db.database import UnitOfWork
from storage.db.states import RunState
from storage.errors import UnknownRun
from storage.models import registry
from storage.models.registry import Promotion
from storage.training import runs
from storage.training.runs import Run

_WHY: Final = "an admin promoted run {number}'s model"


def enqueue_card(unit: UnitOfWork, run: Run, bot_id: int, chat_id: int, texts: Texts) -> None:
    """Enqueue the decision on a run's candidate, with its chart (if any), and a button if the candidate was held."""
    keyboard = card_keyboard(texts, run.id, asking=False) if _may_promote(unit, run) else None
    content = _card_content(unit, run, render_decision(texts, run), keyboard)
    outbox.enqueue(unit, content.draft(bot_id, chat_id))


class PromotionDialog:
    """Handles taps under a decision card. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def handle_tap(self, tap: Tap, card_tap: CardTap) -> None:
        """Ask for confirmation, promote, or cancel, and show the result in the card."""

        def work(unit: UnitOfWork) -> None:
            edit(unit, tap.incoming, tap.telegram_message_id, _tapped_content(unit, tap, card_tap))
            tap.incoming.finish(unit)

        await self._database.write(work)


def _tapped_content(unit: UnitOfWork, tap: Tap, card_tap: CardTap) -> MessageContent:
    """Handle a tap and return the card's new content."""
    texts = tap.incoming.texts
    try:
        run = runs.get_run(unit, card_tap.run_id)
    except UnknownRun:
        return MessageContent(texts.run_gone)
    note, keyboard = _answer(unit, tap, run, card_tap.action)
    return _card_content(unit, run, render_decision(texts, run, note), keyboard)


def _card_content(unit: UnitOfWork, run: Run, text: str, keyboard: Keyboard | None) -> MessageContent:
    has_chart = runs.chart_of(unit, run.id) is not None
    return MessageContent(text, keyboard, chart_run_id=run.id if has_chart else None)


def _answer(unit: UnitOfWork, tap: Tap, run: Run, action: CardAction) -> tuple[str | None, Keyboard | None]:
    """Handle a tap and return the card's new note and buttons."""
    texts = tap.incoming.texts
    if run.candidate is None or not _may_promote(unit, run):
        return _outdated_note(unit, texts, run), None
    if action is CardAction.PROMOTE:
        return texts.card_question, card_keyboard(texts, run.id, asking=True)
    if action is CardAction.NO:
        return None, card_keyboard(texts, run.id, asking=False)
    why = _WHY.format(number=run.id)
    outcome = registry.promote(unit, run.candidate, why, tap.incoming.sender.telegram_id, run.champion)
    note = {
        Promotion.DONE: texts.card_promoted,
        Promotion.UNKNOWN: texts.card_removed,
        Promotion.REMOVED: texts.card_removed,
        Promotion.CHANGED: texts.card_stale,
    }[outcome]
    return fill(note, version=run.candidate), None


def _may_promote(unit: UnitOfWork, run: Run) -> bool:
    """Return whether the candidate was held and the model it was compared with is still live."""
    live = registry.live_model(unit)
    return (
        run.state is RunState.HELD and run.candidate is not None and live is not None and live.version == run.champion
    )


def _outdated_note(unit: UnitOfWork, texts: Texts, run: Run) -> str:
    live = registry.live_model(unit)
    if live is not None and live.version == run.candidate:
        return fill(texts.card_live, version=live.version)
    return texts.card_stale
