"""The decision card for a run, which shows the gate's decision and a chart, and can promote a held candidate."""

from dataclasses import replace
from typing import Final

from bot.admin.buttons import CardAction, CardTap, card_keyboard, card_question_keyboard
from bot.admin.run_text import render_decision
from bot.buttons import Keyboard
from bot.database import AsyncDatabase
from bot.incoming import Tap
from bot.sending.replies import MessageContent, edit
from bot.texts import Texts, fill
from core.settings import Settings
from storage.chat import outbox
from storage.db.database import UnitOfWork
from storage.db.states import RunState
from storage.errors import UnknownRun
from storage.feedback.eligibility import EligibilityRules
from storage.models import registry, trials
from storage.models.registry import Promotion
from storage.training import runs, snapshots
from storage.training.runs import Run

_WHY: Final = "an admin promoted run {number}'s model"
_WHY_TRIAL: Final = "an admin promoted run {number}'s model on trial"
_WHY_BACK: Final = "an admin ended the trial of {version}"


def enqueue_card(  # noqa: PLR0913, PLR0917 - each argument is a separate fact
    unit: UnitOfWork, run: Run, bot_id: int, chat_id: int, texts: Texts, settings: Settings
) -> None:
    """Enqueue the decision on a run's candidate, its chart if it has one, and buttons for what an admin can do."""
    content = _card_content(unit, texts, run, *_offer(unit, texts, run, settings))
    outbox.enqueue(unit, content.draft(bot_id, chat_id))


class PromotionDialog:
    """Handles taps under a decision card. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def handle_tap(self, tap: Tap, card_tap: CardTap) -> None:
        """Ask for confirmation, promote, or cancel, and show the result in the card."""

        def work(unit: UnitOfWork) -> None:
            edit(unit, tap.incoming, tap.telegram_message_id, _tapped_content(unit, tap, card_tap, self._settings))
            tap.incoming.finish(unit)

        await self._database.write(work)


def _tapped_content(unit: UnitOfWork, tap: Tap, card_tap: CardTap, settings: Settings) -> MessageContent:
    """Handle a tap and return the card's new content."""
    texts = tap.incoming.texts
    try:
        run = runs.get_run(unit, card_tap.run_id)
    except UnknownRun:
        return MessageContent(texts.run_gone)
    return _card_content(unit, texts, run, *_answer(unit, tap, run, card_tap.action, settings))


def _card_content(
    unit: UnitOfWork, texts: Texts, run: Run, note: str | None, keyboard: Keyboard | None
) -> MessageContent:
    has_chart = runs.chart_of(unit, run.id) is not None
    text = render_decision(texts, run, snapshots.snapshot_of(unit, run.id), note)
    return MessageContent(text, keyboard, chart_run_id=run.id if has_chart else None)


def _answer(
    unit: UnitOfWork, tap: Tap, run: Run, action: CardAction, settings: Settings
) -> tuple[str | None, Keyboard | None]:
    """Handle a tap and return the card's new note and buttons."""
    texts = tap.incoming.texts
    on_trial = _is_on_trial(unit, run)
    of_a_trial = action in (CardAction.BACK, CardAction.BACK_YES)
    if run.candidate is None or not _may_promote(unit, run) or (of_a_trial and not on_trial):
        return _outdated_note(unit, texts, run), None
    questions = {
        CardAction.PROMOTE: texts.card_keep_question if on_trial else texts.card_question,
        CardAction.TRY: texts.card_try_question,
        CardAction.BACK: texts.card_back_question,
    }
    if action in questions:
        question = fill(questions[action], version=run.candidate, champion=run.champion)
        return question, card_question_keyboard(texts, run.id, action)
    if action is CardAction.WAIT:
        return _wait(unit, texts, run, settings)
    if action is CardAction.NO:
        return _offer(unit, texts, run, settings)
    outcome, done = _change_live_model(unit, tap, run, action)
    note = {
        Promotion.DONE: done,
        Promotion.UNKNOWN: texts.card_removed,
        Promotion.REMOVED: texts.card_removed,
        Promotion.CHANGED: texts.card_stale,
    }[outcome]
    keyboard = _offer(unit, texts, run, settings)[1]
    return fill(note, version=run.candidate, champion=run.champion), keyboard


def _wait(unit: UnitOfWork, texts: Texts, run: Run, settings: Settings) -> tuple[str | None, Keyboard | None]:
    """Let the next round start once there are enough votes, and return the card's note and buttons."""
    more = more_votes_needed(run)
    if more is None:
        return _offer(unit, texts, run, settings)
    rules = EligibilityRules.from_settings(settings)
    target = snapshots.preview(unit, rules, frozenset(settings.admin_ids)).usable + more
    runs.retrain_at(unit, run.id, target)
    return _offer(unit, texts, replace(run, retrain_at=target), settings)


def _change_live_model(unit: UnitOfWork, tap: Tap, run: Run, action: CardAction) -> tuple[Promotion, str]:
    """Promote the candidate, or start or end its trial. Return the outcome and the note to show on success."""
    texts, who, champion = tap.incoming.texts, tap.incoming.sender.telegram_id, run.champion or ""
    candidate = run.candidate or ""
    if action is CardAction.TRY_YES:
        why = _WHY_TRIAL.format(number=run.number)
        return registry.start_trial(unit, candidate, why, who, champion), texts.card_tried
    if action is CardAction.BACK_YES:
        why = _WHY_BACK.format(version=candidate)
        return registry.promote(unit, champion, why, who, candidate), texts.card_back
    done = texts.card_kept if _is_on_trial(unit, run) else texts.card_promoted
    return registry.promote(unit, candidate, _WHY.format(number=run.number), who, champion), done


def _is_on_trial(unit: UnitOfWork, run: Run) -> bool:
    trial = trials.running_trial(unit)
    return trial is not None and trial.version == run.candidate


def _may_promote(unit: UnitOfWork, run: Run) -> bool:
    """Return whether the candidate is held or on trial and its champion is still the model to beat.

    A rolled-back candidate can be promoted again, because the admin may know better than the votes.
    """
    champion, live = registry.baseline(unit), registry.live_model(unit)
    if champion is None or live is None or champion.version != run.champion:
        return False
    return run.candidate is not None and run.state in (RunState.HELD, RunState.TRIAL)


def _may_try(run: Run) -> bool:
    return run.state is RunState.TRIAL or bool((run.decision or {}).get("may_try"))


def _offer(unit: UnitOfWork, texts: Texts, run: Run, settings: Settings) -> tuple[str | None, Keyboard | None]:
    """Return a note on what an admin can do with the candidate, and the buttons.

    Both are None if there is nothing to do.
    """
    if not _may_promote(unit, run):
        return None, None
    promote = (texts.button_promote, CardAction.PROMOTE)
    if _is_on_trial(unit, run):
        keep, back = (texts.button_keep_model, CardAction.PROMOTE), (texts.button_roll_back, CardAction.BACK)
        return fill(texts.card_on_trial, champion=run.champion), card_keyboard(run.id, [keep, back])
    note, buttons = texts.card_may_promote, [promote]
    if _may_try(run):
        note, buttons = texts.card_may_try, [(texts.button_try, CardAction.TRY), promote]
    notes = [fill(texts.card_held, champion=run.champion), note]
    more = more_votes_needed(run)
    if run.retrain_at is not None:
        notes.append(fill(texts.card_waiting, texts=run.retrain_at))
    elif more is not None:
        wait = (fill(texts.button_wait, count=more), CardAction.WAIT)
        return " ".join(notes), card_keyboard(run.id, buttons, [wait])
    return " ".join(notes), card_keyboard(run.id, buttons)


def more_votes_needed(run: Run) -> int | None:
    """Estimate how many more usable texts are needed to decide on a held model. Return None if unknown."""
    needed: int | None = (run.decision or {}).get("needed")
    return needed or None


def _outdated_note(unit: UnitOfWork, texts: Texts, run: Run) -> str:
    live = registry.live_model(unit)
    if live is not None and live.version == run.candidate:
        return fill(texts.card_live, version=live.version)
    return texts.card_stale
