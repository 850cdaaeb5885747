"""The /model and /models pages, where an admin can change the live model. Free of Telegram types."""

from datetime import datetime
from typing import Final

from bot.admin.buttons import ModelsAction, ModelsTap, model_change_keyboard, models_keyboard
from bot.admin.pausing import pause_line
from bot.buttons import Keyboard
from bot.database import AsyncDatabase
from bot.formatting import REASON_LENGTH, truncate
from bot.incoming import Incoming, Tap
from bot.sending.replies import MessageContent, edit, send
from bot.serving.live_model import LiveModel
from bot.texts import Texts, fill
from ml.serving.artifact import Manifest
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState, RunState
from storage.models import instances, registry, trials
from storage.models.instances import BotInstance
from storage.models.registry import ModelChange, Promotion
from storage.models.serving_status import ModelState, ModelStatus, live_status, model_statuses
from storage.models.trials import Trial
from storage.overview import chat_overview
from storage.training import runs

# Maximum number of models and of changes to list, so that the page fits into one message.
_MAX_MODELS, _MAX_CHANGES = 10, 5
_WHY: Final = "an admin chose it in the list of models"


class ModelPages:
    """The /model and /models pages. Replies are enqueued before each method returns.

    Opening a page stores the admin as a person, so that the bot can notify them if a model cannot be loaded.
    """

    def __init__(self, database: AsyncDatabase, model: LiveModel) -> None:
        self._database = database
        self._model = model

    async def show(self, incoming: Incoming) -> None:
        """Show the live model, when it went live, its accuracy, and the version that each bot instance serves."""
        manifest = self._model.manifest

        def work(unit: UnitOfWork) -> None:
            incoming.sender.upsert(unit)
            send(unit, incoming, MessageContent(model_page(unit, incoming.texts, manifest, incoming.bot_id)))
            incoming.finish(unit)

        await self._database.write(work)

    async def show_all(self, incoming: Incoming) -> None:
        """List the models and the latest changes to the live model, with buttons to choose a different one."""

        def work(unit: UnitOfWork) -> None:
            incoming.sender.upsert(unit)
            send(unit, incoming, MessageContent(*models_page(unit, incoming.texts)))
            incoming.finish(unit)

        await self._database.write(work)

    async def handle_tap(self, tap: Tap, models_tap: ModelsTap) -> None:
        """Ask for confirmation, change the live model, or go back to the list, all in the same message."""

        def work(unit: UnitOfWork) -> None:
            edit(unit, tap.incoming, tap.telegram_message_id, MessageContent(*_answer(unit, tap, models_tap)))
            tap.incoming.finish(unit)

        await self._database.write(work)


def model_page(unit: UnitOfWork, texts: Texts, manifest: Manifest, bot_id: int) -> str:
    """Return the /model page as HTML: the live model, the gate's explanation, its accuracy and the bot instances.

    ``manifest`` describes the model in this process, which may not be the live model yet. If this bot has uncertain
    replies, the last line says how many.
    """
    lines = []
    status = live_status(unit)
    if status is not None:
        live = status.model
        promotions = [
            change for change in registry.changes(unit) if change.to_version == live.version and not change.confirms
        ]
        lines.append(_live_line(texts, status, promotions[0].at if promotions else live.created_at))
        if trial := trials.running_trial(unit):
            lines.append(_trial_line(texts, trial))
        run = runs.get_run(unit, live.run_id) if live.run_id is not None else None
        if run is not None and run.state is RunState.HELD and promotions:
            lines.append(fill(texts.model_held, why=truncate(promotions[0].reason, REASON_LENGTH)))
        elif run is not None and run.decision is not None:
            lines.append(fill("{sentence}", sentence=truncate(run.decision["sentence"], REASON_LENGTH)))
        measured = manifest.figures.get("dev", {}) if manifest.version == live.version else {}
        if "accuracy" in measured:
            percent = f"{100 * measured['accuracy']:.1f}"
            lines.append(fill(texts.model_accuracy, percent=percent, reviews=f"{measured['reviews']:,}"))
        if live.tested:
            percent = f"{100 * (live.tested_right or 0) / live.tested:.1f}"
            lines.append(fill(texts.model_tested, percent=percent, reviews=f"{live.tested:,}"))
    serving = instances.live_instances(unit)
    lines += ["", *(_instance_line(texts, instance) for instance in serving)] if serving else ["", texts.model_nobody]
    if paused := pause_line(unit, texts):
        lines += ["", paused]
    uncertain = chat_overview(unit, bot_id).replies[ReplyState.UNCERTAIN]
    if uncertain:
        lines += ["", fill(texts.model_uncertain, count=uncertain)]
    return "\n".join(lines)


def models_page(unit: UnitOfWork, texts: Texts, note: str | None = None) -> tuple[str, Keyboard | None]:
    """Return the /models page and its buttons, if any. The page and the ``note`` at its top are HTML."""
    statuses = model_statuses(unit)
    targets = [model.version for model in registry.rollback_targets(unit)]
    shown = [
        status
        for number, status in enumerate(statuses)
        if number < _MAX_MODELS or status.model.live or status.serving or status.model.version in targets[:1]
    ]
    live = next((status.model for status in statuses if status.model.live), None)
    trial = trials.running_trial(unit)
    lines = [*([note, ""] if note else []), texts.models_title]
    lines += [_model_lines(texts, status, trial) for status in shown]
    changes = registry.changes(unit, _MAX_CHANGES)
    if changes:
        lines += ["", texts.models_changes, *(_change_line(texts, change) for change in changes)]
    if live is None:
        return "\n".join(lines), None
    kept = [status.model.version for status in shown if status.state is ModelState.KEPT]
    others = [version for version in kept if version not in targets]
    keyboard = models_keyboard(texts, live.version, others, [version for version in targets if version in kept])
    return "\n".join(lines), keyboard if keyboard["inline_keyboard"] else None


def _answer(unit: UnitOfWork, tap: Tap, models_tap: ModelsTap) -> tuple[str, Keyboard | None]:
    """Handle a tap and return the page and the buttons to show instead."""
    texts = tap.incoming.texts
    if models_tap.action is ModelsAction.LIST:
        return models_page(unit, texts)
    version, live = models_tap.version, models_tap.live
    if models_tap.action is ModelsAction.ASK:
        outcome = registry.check_promotion(unit, version, live)
        if outcome is Promotion.DONE:
            question = fill(texts.models_question, version=version, live=live)
            return question, model_change_keyboard(texts, version, live)
    else:
        outcome = registry.promote(unit, version, _WHY, tap.incoming.sender.telegram_id, live)
    note = {
        Promotion.DONE: texts.models_done,
        Promotion.UNKNOWN: texts.models_unknown,
        Promotion.REMOVED: texts.models_gone,
        Promotion.CHANGED: texts.models_stale,
    }[outcome]
    return models_page(unit, texts, fill(note, version=models_tap.version))


def _live_line(texts: Texts, status: ModelStatus, since: datetime) -> str:
    """Return the line about the live model, including the time of its promotion, ``since``."""
    line = texts.model_live if status.state is ModelState.LIVE else texts.model_pending
    return fill(line, since=_minute(since), **_values(status))


def _instance_line(texts: Texts, instance: BotInstance) -> str:
    line = fill(texts.model_process, process=instance.process, version=instance.version, since=_minute(instance.since))
    return line if instance.refusal is None else f"{line}\n{_refusal_line(texts, instance)}"


def _refusal_line(texts: Texts, instance: BotInstance) -> str:
    reason = truncate(instance.refusal or "", REASON_LENGTH)
    return fill(texts.model_refusal, process=instance.process, version=instance.refused_version, reason=reason)


def _trial_line(texts: Texts, trial: Trial) -> str:
    votes = trial.votes
    return fill(
        texts.model_trial,
        champion=trial.champion,
        texts=votes.texts,
        right=votes.trial_right,
        champion_right=votes.champion_right,
    )


def _model_lines(texts: Texts, status: ModelStatus, trial: Trial | None) -> str:
    on_trial = trial is not None and trial.version == status.model.version
    line = {
        ModelState.LIVE: texts.models_trial if on_trial else texts.models_live,
        ModelState.PENDING: texts.models_trial if on_trial else texts.models_pending,
        ModelState.REFUSED: texts.models_refused,
        ModelState.KEPT: texts.models_fallback if status.serving else texts.models_kept,
        ModelState.REMOVED: texts.models_removed,
    }[status.state]
    refusals = [_refusal_line(texts, instance) for instance in status.refusing] if status.model.live else []
    votes = trial.votes.texts if trial is not None else 0
    shown = fill(line, created=_minute(status.model.created_at), texts=votes, **_values(status))
    return "\n".join([shown, *refusals])


def _values(status: ModelStatus) -> dict[str, object]:
    return {"version": status.model.version, "serving": len(status.serving), "running": status.running}


def _change_line(texts: Texts, change: ModelChange) -> str:
    why = truncate(change.reason, REASON_LENGTH)
    line = texts.models_confirmed if change.confirms else texts.models_change
    return fill(line, at=_minute(change.at), version=change.to_version, why=why)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
