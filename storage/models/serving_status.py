"""Determines the state of each model from the registry and from the reports of the running bots."""

from dataclasses import dataclass
from enum import StrEnum

from storage.db.database import UnitOfWork
from storage.models import instances, registry
from storage.models.instances import BotInstance
from storage.models.registry import ModelVersion


class ModelState(StrEnum):
    """The state of a version. The first three states apply only to the version that was made live."""

    LIVE = "live"  # bots are running, and all of them answer with it
    PENDING = "pending"  # no bot is running, or not all of them answer with it yet
    REFUSED = "refused"  # a running bot could not load it
    KEPT = "kept"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A version, its state, the bot instances that are using it or refused it, and how many instances are running."""

    model: ModelVersion
    state: ModelState
    serving: tuple[BotInstance, ...]
    refusing: tuple[BotInstance, ...]
    running: int


def model_statuses(unit: UnitOfWork) -> list[ModelStatus]:
    """Return the status of every version, newest first."""
    running = instances.live_instances(unit)
    return [status_of(model, running) for model in registry.versions(unit)]


def live_status(unit: UnitOfWork) -> ModelStatus | None:
    """Return the status of the version that was made live, or None if there is none."""
    live = registry.live_model(unit)
    return None if live is None else status_of(live, instances.live_instances(unit))


def status_of(model: ModelVersion, running: list[BotInstance]) -> ModelStatus:
    """Return the status of a version, given the running bot instances."""
    serving = tuple(bot for bot in running if bot.version == model.version)
    refusing = tuple(bot for bot in running if bot.refused_version == model.version and bot not in serving)
    return ModelStatus(model, _state(model, serving, refusing, len(running)), serving, refusing, len(running))


def _state(
    model: ModelVersion, serving: tuple[BotInstance, ...], refusing: tuple[BotInstance, ...], running: int
) -> ModelState:
    if not model.live:
        return ModelState.KEPT if model.removed_at is None else ModelState.REMOVED
    if refusing:
        return ModelState.REFUSED
    return ModelState.LIVE if running and len(serving) == running else ModelState.PENDING
