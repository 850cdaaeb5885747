"""Which model answers, which there are, and an admin's change of it. Knows no Telegram types."""

from datetime import datetime
from typing import Final

from bot.admin.buttons import ModelsAction, ModelsTap, model_change_keyboard, models_keyboard
from bot.buttons import Keyboard
from bot.database import AsyncDatabase
from bot.formatting import shortened
from bot.serving.live_model import LiveModel
from bot.texts import Texts, fill
from bot.transport.conversation import Incoming, MessageContent, Tap, edit, send
from ml.serving.artifact import Manifest
from storage.db.database import UnitOfWork
from storage.models import instances, registry
from storage.models.registry import ModelChange, ModelVersion, Promotion
from storage.training import runs

# More would neither fit into a message nor onto a screen.
_MODELS, _CHANGES = 10, 5
_WHY: Final = "an admin chose it in the list of models"


class ModelPages:
    """The pages on models; what they owe is committed when a method returns."""

    def __init__(self, store: AsyncDatabase, model: LiveModel) -> None:
        self._store = store
        self._model = model

    async def show(self, received: Incoming) -> None:
        """Say which model answers, since when, how good it is, and in which processes."""
        manifest = self._model.manifest

        def work(unit: UnitOfWork) -> None:
            send(unit, received, MessageContent(model_page(unit, received.texts, manifest)))
            received.finish(unit)

        await self._store.write(work)

    async def show_all(self, received: Incoming) -> None:
        """List the models and the latest changes, with buttons to change the live one."""

        def work(unit: UnitOfWork) -> None:
            send(unit, received, MessageContent(*models_page(unit, received.texts)))
            received.finish(unit)

        await self._store.write(work)

    async def handle_tap(self, tap: Tap, on_models: ModelsTap) -> None:
        """Ask whether to change the live model, change it, or show the list again, in place."""

        def work(unit: UnitOfWork) -> None:
            edit(unit, tap.incoming, tap.telegram_message_id, MessageContent(*_answer(unit, tap, on_models)))
            tap.incoming.finish(unit)

        await self._store.write(work)


def model_page(unit: UnitOfWork, texts: Texts, manifest: Manifest) -> str:
    """The live model, what the gate said of it, its accuracy where ``manifest`` is its own, and who serves it; HTML."""
    lines = []
    live = registry.live_model(unit)
    if live is not None:
        since = next((one.at for one in registry.changes(unit) if one.to_version == live.version), live.created_at)
        lines.append(fill(texts.model_live, version=live.version, since=_minute(since)))
        decision = runs.get_run(unit, live.run_id).decision if live.run_id is not None else None
        if decision is not None:
            lines.append(fill("{sentence}", sentence=shortened(decision["sentence"])))
        measured = manifest.figures.get("dev", {}) if manifest.version == live.version else {}
        if "accuracy" in measured:
            percent = f"{100 * measured['accuracy']:.1f}"
            lines.append(fill(texts.model_accuracy, percent=percent, reviews=f"{measured['reviews']:,}"))
        if live.tested:
            percent = f"{100 * (live.tested_right or 0) / live.tested:.1f}"
            lines.append(fill(texts.model_tested, percent=percent, reviews=f"{live.tested:,}"))
    processes = instances.live_instances(unit)
    lines += ["", *(_process(texts, one) for one in processes)] if processes else ["", texts.model_nobody]
    return "\n".join(lines)


def models_page(unit: UnitOfWork, texts: Texts, note: str | None = None) -> tuple[str, Keyboard | None]:
    """The newest models and changes, with ``note``, which is HTML, on top; and the buttons, if any."""
    versions = registry.versions(unit)
    live = next((version for version in versions if version.live), None)
    shown = versions[:_MODELS]
    if live is not None and live not in shown:
        shown = [*shown, live]
    lines = [*([note, ""] if note else []), texts.models_title, *(_model(texts, version) for version in shown)]
    changes = registry.changes(unit, _CHANGES)
    if changes:
        lines += ["", texts.models_changes, *(_change(texts, one) for one in changes)]
    if live is None:
        return "\n".join(lines), None
    others = [version for version in shown if not version.live and version.removed_at is None]
    newer = [version.version for version in others if version.created_at > live.created_at]
    older = [version.version for version in others if version.created_at <= live.created_at]
    keyboard = models_keyboard(texts, live.version, newer, older)
    return "\n".join(lines), keyboard if keyboard["inline_keyboard"] else None


def _answer(unit: UnitOfWork, tap: Tap, on_models: ModelsTap) -> tuple[str, Keyboard | None]:
    """What a tap comes to: the page that takes the place of the one tapped."""
    texts = tap.incoming.texts
    if on_models.action is ModelsAction.LIST:
        return models_page(unit, texts)
    version, live = on_models.version, on_models.live
    if on_models.action is ModelsAction.ASK:
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
    return models_page(unit, texts, fill(note, version=on_models.version))


def _process(texts: Texts, one: instances.BotInstance) -> str:
    line = fill(texts.model_process, process=one.process, version=one.version, since=_minute(one.since))
    if one.refusal is None:
        return line
    reason = shortened(one.refusal)
    return line + "\n" + fill(texts.model_refusal, process=one.process, version=one.refused_version, reason=reason)


def _model(texts: Texts, version: ModelVersion) -> str:
    line = texts.models_kept
    if version.live:
        line = texts.models_live
    elif version.removed_at is not None:
        line = texts.models_removed
    return fill(line, version=version.version, created=_minute(version.created_at))


def _change(texts: Texts, one: ModelChange) -> str:
    facts = {"at": _minute(one.at), "version": one.to_version, "why": shortened(one.why)}
    return (
        fill(texts.models_change, **facts) if one.who is None else fill(texts.models_change_admin, who=one.who, **facts)
    )


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
