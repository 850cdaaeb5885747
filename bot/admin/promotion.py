"""The decision on a candidate: a card with the run's chart, and an admin's word on one that was held."""

from typing import Final

from bot.admin.buttons import CardAction, CardTap, card_keyboard
from bot.admin.run_text import render_decision
from bot.buttons import Keyboard
from bot.database import AsyncDatabase
from bot.texts import Texts, fill
from bot.transport.conversation import Tap, chart_payload, text_payload
from storage.chat import outbox
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork
from storage.db.states import RunState
from storage.errors import UnknownRun
from storage.models import registry
from storage.models.registry import Promotion
from storage.training import runs
from storage.training.runs import Run

_WHY: Final = "an admin promoted what run {number} made"


def enqueue_card(unit: UnitOfWork, run: Run, bot_id: int, chat_id: int, texts: Texts) -> None:
    """Owe the decision on a run's candidate to a chat: with the chart, and with a button where it was held."""
    text = render_decision(texts, run)
    keyboard = card_keyboard(texts, run.id, asking=False) if _may_promote(unit, run) else None
    drawn = runs.chart_of(unit, run.id) is not None
    payload = chart_payload(text, keyboard, run.id) if drawn else text_payload(text, keyboard)
    outbox.enqueue(unit, Draft(bot_id, chat_id, payload))


class PromotionDialog:
    """An admin's taps under a decision; what it owes is committed when a method returns."""

    def __init__(self, store: AsyncDatabase) -> None:
        self._store = store

    async def handle_tap(self, tap: Tap, on_card: CardTap) -> None:
        """Ask whether to promote, promote, or leave it, and show that in the card."""

        def work(unit: UnitOfWork) -> None:
            _decide(unit, tap, on_card)
            tap.incoming.finish(unit)

        await self._store.write(work)


def _decide(unit: UnitOfWork, tap: Tap, on_card: CardTap) -> None:
    texts = tap.incoming.texts
    try:
        run = runs.get_run(unit, on_card.run_id)
    except UnknownRun:
        _show(unit, tap, texts.run_gone, None, drawn=False)
        return
    note, keyboard = _answer(unit, tap, run, on_card.action)
    drawn = runs.chart_of(unit, run.id) is not None
    _show(unit, tap, render_decision(texts, run, note), keyboard, drawn=drawn)


def _answer(unit: UnitOfWork, tap: Tap, run: Run, wish: CardAction) -> tuple[str | None, Keyboard | None]:
    """What a tap comes to: a sentence, and the buttons from then on."""
    texts = tap.incoming.texts
    if run.candidate is None or not _may_promote(unit, run):
        return _too_late(unit, texts, run), None
    if wish is CardAction.PROMOTE:
        return texts.card_question, card_keyboard(texts, run.id, asking=True)
    if wish is CardAction.NO:
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
    """Whether the candidate was held, and is still compared with the model that answers."""
    live = registry.live_model(unit)
    return (
        run.state is RunState.HELD and run.candidate is not None and live is not None and live.version == run.champion
    )


def _too_late(unit: UnitOfWork, texts: Texts, run: Run) -> str:
    live = registry.live_model(unit)
    if live is not None and live.version == run.candidate:
        return fill(texts.card_live, version=live.version)
    return texts.card_stale


def _show(unit: UnitOfWork, tap: Tap, text: str, keyboard: Keyboard | None, *, drawn: bool) -> None:
    payload = chart_payload(text, keyboard, None) if drawn else text_payload(text, keyboard)
    received = tap.incoming
    draft = Draft(received.bot_id, received.chat_id, payload, edits=tap.telegram_message_id)
    outbox.enqueue(unit, draft)
