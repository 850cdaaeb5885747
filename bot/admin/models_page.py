"""The /model and /models pages, where an admin can change the live model. Free of Telegram types."""

from datetime import datetime
from typing import Final

from bot.admin.buttons import ModelsAction, ModelsTap, model_change_keyboard, models_keyboard
from bot.buttons import Keyboard
from bot.database import AsyncDatabase
from bot.formatting import REASON_LENGTH, truncate
from bot.serving.live_model import LiveModel
from bot.texts import Texts, fill
from bot.transport.conversation import Incoming, MessageContent, Tap, edit, send
from ml.serving.artifact import Manifest
from storage.chat import undelivered
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.models import instances, registry
from storage.models.registry import ModelChange, ModelVersion, Promotion
from storage.training import runs

# Maximum number of models and of changes to list, so that the page fits into one message.
_MAX_MODELS, _MAX_CHANGES = 10, 5
_WHY: Final = "an admin chose it in the list of models"


class ModelPages:
    """The pages about models; replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, model: LiveModel) -> None:
        self._database = database
        self._model = model

    async def show(self, incoming: Incoming) -> None:
        """Show the live model, when it went live, its accuracy, and the version that each bot instance serves."""
        manifest = self._model.manifest

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, MessageContent(model_page(unit, incoming.texts, manifest, incoming.bot_id)))
            incoming.finish(unit)

        await self._database.write(work)

    async def show_all(self, incoming: Incoming) -> None:
        """List the models and the latest changes of the live model, with buttons to choose another live model."""

        def work(unit: UnitOfWork) -> None:
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

    ``manifest`` belongs to the model in this process, which may not be the live model yet. If this bot has uncertain
    replies, the last line is their number.
    """
    lines = []
    live = registry.live_model(unit)
    if live is not None:
        changes = registry.changes(unit)
        since = next((change.at for change in changes if change.to_version == live.version), live.created_at)
        lines.append(fill(texts.model_live, version=live.version, since=_minute(since)))
        decision = runs.get_run(unit, live.run_id).decision if live.run_id is not None else None
        if decision is not None:
            lines.append(fill("{sentence}", sentence=truncate(decision["sentence"], REASON_LENGTH)))
        measured = manifest.figures.get("dev", {}) if manifest.version == live.version else {}
        if "accuracy" in measured:
            percent = f"{100 * measured['accuracy']:.1f}"
            lines.append(fill(texts.model_accuracy, percent=percent, reviews=f"{measured['reviews']:,}"))
        if live.tested:
            percent = f"{100 * (live.tested_right or 0) / live.tested:.1f}"
            lines.append(fill(texts.model_tested, percent=percent, reviews=f"{live.tested:,}"))
    serving = instances.live_instances(unit)
    lines += ["", *(_instance_line(texts, instance) for instance in serving)] if serving else ["", texts.model_nobody]
    uncertain = undelivered.count_by_state(unit, bot_id)[ReplyState.UNCERTAIN]
    if uncertain:
        lines += ["", fill(texts.model_uncertain, count=uncertain)]
    return "\n".join(lines)


def models_page(unit: UnitOfWork, texts: Texts, note: str | None = None) -> tuple[str, Keyboard | None]:
    """Return the /models page and its buttons, if any. The page and the ``note`` at its top are HTML."""
    versions = registry.versions(unit)
    live = next((version for version in versions if version.live), None)
    shown = versions[:_MAX_MODELS]
    if live is not None and live not in shown:
        shown = [*shown, live]
    lines = [*([note, ""] if note else []), texts.models_title, *(_model_line(texts, version) for version in shown)]
    changes = registry.changes(unit, _MAX_CHANGES)
    if changes:
        lines += ["", texts.models_changes, *(_change_line(texts, change) for change in changes)]
    if live is None:
        return "\n".join(lines), None
    others = [version for version in shown if not version.live and version.removed_at is None]
    newer = [version.version for version in others if version.created_at > live.created_at]
    older = [version.version for version in others if version.created_at <= live.created_at]
    keyboard = models_keyboard(texts, live.version, newer, older)
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


def _instance_line(texts: Texts, instance: instances.BotInstance) -> str:
    process, since = instance.process, _minute(instance.since)
    line = fill(texts.model_process, process=process, version=instance.version, since=since)
    if instance.refusal is None:
        return line
    reason = truncate(instance.refusal, REASON_LENGTH)
    return line + "\n" + fill(texts.model_refusal, process=process, version=instance.refused_version, reason=reason)


def _model_line(texts: Texts, version: ModelVersion) -> str:
    line = texts.models_kept
    if version.live:
        line = texts.models_live
    elif version.removed_at is not None:
        line = texts.models_removed
    return fill(line, version=version.version, created=_minute(version.created_at))


def _change_line(texts: Texts, change: ModelChange) -> str:
    values = {"at": _minute(change.at), "version": change.to_version, "why": truncate(change.why, REASON_LENGTH)}
    if change.who is None:
        return fill(texts.models_change, **values)
    return fill(texts.models_change_admin, who=change.who, **values)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
