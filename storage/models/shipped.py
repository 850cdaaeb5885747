"""The model that ships with the program, and earlier shipped models that a program update replaced."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.paths import STARTER
from storage.db.database import UnitOfWork
from storage.db.states import TrialState
from storage.models import registry, trials
from storage.models.registry import ModelVersion


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """The model in the folder that MODEL points to."""

    version: str
    manifest_sha256: str
    folder: Path


def register_shipped(unit: UnitOfWork, shipped: ShippedModel) -> None:
    """Register the shipped model with its current folder, or raise ModelVersionTaken."""
    registry.register(unit, shipped.version, shipped.manifest_sha256, str(shipped.folder))


def replace_live(unit: UnitOfWork, shipped: ShippedModel) -> None:
    """Make the shipped model live if it replaced the live model in its folder. Otherwise, do nothing.

    Raise ModelVersionTaken if its version is registered with a different manifest, and LiveModelChanged if another
    process changes the live model at the same time.
    """
    live = registry.live_model(unit)
    if live is None or live.run_id is not None or live.location != str(shipped.folder):
        return
    if live.manifest_sha256 != shipped.manifest_sha256:
        register_shipped(unit, shipped)
        _retire(unit, live, shipped)


def retire_replaced(unit: UnitOfWork, shipped: ShippedModel, is_replaced: Callable[[Path, str], bool]) -> None:
    """Retire all earlier shipped models that were replaced. If one of them was live, make the shipped model live.

    ``is_replaced`` returns whether a folder contains a model whose manifest hash differs from the given one. If the
    folder is missing, nothing changes. Raise LiveModelChanged if another process changes the live model at the same
    time.
    """
    for model in registry.versions(unit):
        if _was_shipped(model) and is_replaced(Path(model.location), model.manifest_sha256):
            _retire(unit, model, shipped)


def _was_shipped(model: ModelVersion) -> bool:
    is_outside_store = Path(model.location).name != model.location
    return model.run_id is None and model.removed_at is None and is_outside_store


def _retire(unit: UnitOfWork, replaced: ModelVersion, shipped: ShippedModel) -> None:
    """Mark a model as removed. If it is live, make the shipped model live instead.

    If a trial would have brought the model back, the trial ends without a result.
    """
    is_starter = Path(replaced.location) == STARTER
    updated = f"an update of Thumbs replaced the files of {replaced.version}"
    why = updated if is_starter else f"the files of {replaced.version} are no longer in {replaced.location}"
    trial = trials.running_trial(unit)
    if trial is not None and trial.champion == replaced.version:
        trials.end(unit, trial.id, TrialState.ENDED, why, None)
    if replaced.live:
        registry.make_live(unit, shipped.version, why, instead_of=replaced.version)
    registry.mark_removed(unit, replaced.version)
