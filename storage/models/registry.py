"""The registry of published models, with the live model and its history.

Each row contains the hash of the model's manifest, so that the files can be verified against the database.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import case, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import ThumbsError
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import TrialState
from storage.db.tables import ModelChangeRow, ModelVersionRow, TrialRow
from storage.errors import LiveModelChanged, ModelRemoved, ModelVersionTaken, UnknownModelVersion
from storage.models import trials
from storage.models.trials import Trial, as_sentence


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A published model.

    ``location`` is its name in the artifact store, or its folder if, like the starter, it was never in the store.
    ``run_id`` is the training run that produced it, and ``removed_at`` is the time when its files were removed. The
    model classified ``tested_right`` out of ``tested`` official test reviews correctly. Both numbers are None if the
    model was not tested. No decision is based on this test.
    """

    version: str
    manifest_sha256: str
    location: str
    created_at: datetime
    live: bool
    run_id: int | None
    removed_at: datetime | None
    tested: int | None
    tested_right: int | None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A change of the live model. ``who`` is a Telegram id, or None for the gate or a command.

    If ``from_version`` is ``to_version``, that model was on trial and has been confirmed.
    """

    at: datetime
    who: int | None
    from_version: str | None
    to_version: str
    why: str

    @property
    def confirms(self) -> bool:
        """Whether this change confirmed a model that was live on trial."""
        return self.from_version == self.to_version

    @property
    def reason(self) -> str:
        """Return the reason for the change as a sentence, which names the admin unless that person was deleted."""
        return as_sentence(self.why, self.who)


class Promotion(StrEnum):
    """The outcome of an attempt to make a version live."""

    DONE = "done"
    UNKNOWN = "unknown"
    REMOVED = "removed"
    CHANGED = "changed"


_OUTCOMES: Final[dict[type[ThumbsError], Promotion]] = {
    UnknownModelVersion: Promotion.UNKNOWN,
    ModelRemoved: Promotion.REMOVED,
    LiveModelChanged: Promotion.CHANGED,
}


def register(unit: UnitOfWork, version: str, manifest_sha256: str, location: str, run_id: int | None = None) -> None:
    """Add a version, or update the location of a registered version, even if its files were removed.

    The row of a model published by a training run is never updated. Raise ModelVersionTaken if the version is
    registered with a different manifest.
    """
    is_shipped = ModelVersionRow.run_id.is_(None)
    updated = {
        "location": case((is_shipped, location), else_=ModelVersionRow.location),
        "removed_at": case((is_shipped, None), else_=ModelVersionRow.removed_at),
    }
    known = unit.scalars(
        unit.insert(ModelVersionRow)
        .values(version=version, manifest_sha256=manifest_sha256, location=location, run_id=run_id)
        .on_conflict_do_update(index_elements=[ModelVersionRow.version], set_=updated)
        .returning(ModelVersionRow.manifest_sha256)
    ).one()
    if known != manifest_sha256:
        raise ModelVersionTaken(version=version)


def check_promotion(unit: UnitOfWork, version: str, instead_of: str | None) -> Promotion:
    """Return the outcome that a call to ``promote`` would have now. CHANGED means that ``instead_of`` is not live."""
    try:
        _require_promotable(unit, version, instead_of)
    except (UnknownModelVersion, ModelRemoved, LiveModelChanged) as error:
        return _OUTCOMES[type(error)]
    return Promotion.DONE


def promote(unit: UnitOfWork, version: str, why: str, who: int | None, instead_of: str | None) -> Promotion:
    """Make a version live with ``make_live``, and return the outcome instead of raising an error."""
    try:
        make_live(unit, version, why, who, instead_of)
    except (UnknownModelVersion, ModelRemoved, LiveModelChanged) as error:
        return _OUTCOMES[type(error)]
    return Promotion.DONE


def start_trial(unit: UnitOfWork, version: str, why: str, who: int | None, champion: str) -> Promotion:
    """Make a model from a training run live on trial in place of ``champion``, and return the outcome.

    A model that is on trial instead of ``champion`` is replaced, and its trial ends.
    """
    try:
        begin_trial(unit, version, why, who, champion)
    except (UnknownModelVersion, ModelRemoved, LiveModelChanged) as error:
        return _OUTCOMES[type(error)]
    return Promotion.DONE


def begin_trial(unit: UnitOfWork, version: str, why: str, who: int | None, champion: str) -> None:
    """Make a model from a training run live on trial in place of ``champion``.

    Raise UnknownModelVersion, ModelRemoved or LiveModelChanged, as ``make_live`` does. LiveModelChanged also
    means that the model is already live.
    """
    model = get_version(unit, version)
    if model.run_id is None:
        raise UnknownModelVersion(version=version)
    if model.live:
        raise LiveModelChanged(expected=champion, found=version)
    make_live(unit, version, why, who, champion)
    trials.start(unit, model.run_id, version, champion, who)


def confirm(unit: UnitOfWork, trial: Trial, why: str, who: int | None = None) -> bool:
    """Confirm the model on trial, or return False if the trial has already ended."""
    if not trials.end(unit, trial.id, TrialState.CONFIRMED, why, who):
        return False
    unit.add(ModelChangeRow(who=who, from_version=trial.version, to_version=trial.version, why=why))
    unit.flush()
    return True


def roll_back(unit: UnitOfWork, trial: Trial, why: str) -> Promotion:
    """End the trial by making the model that it replaced live again."""
    return promote(unit, trial.champion, why, None, trial.version)


def baseline(unit: UnitOfWork) -> ModelVersion | None:
    """Return the model to compare candidates with: the live model or, during a trial, the model that it replaced."""
    trial = trials.running_trial(unit)
    return live_model(unit) if trial is None else get_version(unit, trial.champion)


def make_live(unit: UnitOfWork, version: str, why: str, who: int | None = None, instead_of: str | None = None) -> None:
    """Make a version the live model, and record who changed it and why.

    This ends a trial in progress. If ``version`` is the model on trial, it is confirmed. Any other version replaces the
    model on trial. If ``instead_of`` is set, do all this only if that version is live or was replaced by a model on
    trial. Raise UnknownModelVersion, ModelRemoved, or LiveModelChanged, which is also raised if another process changes
    the live model at the same time.
    """
    before = _require_promotable(unit, version, instead_of)
    trial = trials.running_trial(unit)
    if before is not None and before.version == version:
        if trial is not None:
            confirm(unit, trial, why, who)
        return
    if before is not None:
        replaced = update(ModelVersionRow).where(ModelVersionRow.version == before.version, ModelVersionRow.live)
        if not unit.change(replaced.values(live=False)):
            raise LiveModelChanged(expected=before.version, found="another")
    there = update(ModelVersionRow).where(ModelVersionRow.version == version, ModelVersionRow.removed_at.is_(None))
    try:
        if not unit.change(there.values(live=True)):
            raise ModelRemoved(version=version)
    except IntegrityError as error:
        raise LiveModelChanged(expected="none", found="another") from error
    if trial is not None:
        rolled_back = version == trial.champion
        trials.end(unit, trial.id, TrialState.ROLLED_BACK if rolled_back else TrialState.ENDED, why, who)
    unit.add(ModelChangeRow(who=who, from_version=before.version if before else None, to_version=version, why=why))
    unit.flush()


def _require_promotable(unit: UnitOfWork, version: str, instead_of: str | None) -> ModelVersion | None:
    """Return the live model, if any.

    Raise UnknownModelVersion, ModelRemoved or LiveModelChanged if the version cannot go live.
    """
    if get_version(unit, version).removed_at is not None:
        raise ModelRemoved(version=version)
    live = live_model(unit)
    trial = trials.running_trial(unit)
    replaceable = {model for model in (live and live.version, trial and trial.champion) if model is not None}
    if instead_of is not None and instead_of not in replaceable:
        raise LiveModelChanged(expected=instead_of, found=live.version if live else "none")
    return live


def record_test(unit: UnitOfWork, version: str, reviews: int, right: int) -> None:
    """Record how many test reviews a version classified correctly. No decision is ever based on this number."""
    tested = update(ModelVersionRow).where(ModelVersionRow.version == version)
    unit.change(tested.values(tested=reviews, tested_right=right))


def live_model(unit: UnitOfWork) -> ModelVersion | None:
    """Return the live version, or None if no version has gone live."""
    row = unit.scalar(select(ModelVersionRow).where(ModelVersionRow.live))
    return _version(row) if row else None


def get_version(unit: UnitOfWork, version: str) -> ModelVersion:
    """Return the version with this name, or raise UnknownModelVersion."""
    row = unit.scalar(select(ModelVersionRow).where(ModelVersionRow.version == version))
    if row is None:
        raise UnknownModelVersion(version=version)
    return _version(row)


def versions(unit: UnitOfWork) -> list[ModelVersion]:
    """Return every version, newest first."""
    newest = select(ModelVersionRow).order_by(ModelVersionRow.created_at.desc(), ModelVersionRow.version.desc())
    return [_version(row) for row in unit.scalars(newest)]


def changes(unit: UnitOfWork, count: int | None = None) -> list[ModelChange]:
    """Return the latest ``count`` changes to the live model, or all of them, newest first."""
    rows = unit.scalars(select(ModelChangeRow).order_by(ModelChangeRow.id.desc()).limit(count))
    return [ModelChange(row.created_at, row.who, row.from_version, row.to_version, row.why) for row in rows]


def rollback_targets(unit: UnitOfWork) -> list[ModelVersion]:
    """Return the versions to roll back to, best first: those that were live before the live version first went live.

    When an earlier version goes live again, the versions that went live after it count as rolled back. Versions that
    were rolled back are left out until they are promoted again. Versions whose files were removed are left out too.
    """
    went_live: list[str] = []
    for change in reversed(changes(unit)):
        if change.to_version in went_live:
            del went_live[went_live.index(change.to_version) + 1 :]
        else:
            went_live.append(change.to_version)
    earlier = [get_version(unit, version) for version in reversed(went_live[:-1])]
    return [version for version in earlier if version.removed_at is None]


def mark_removed(unit: UnitOfWork, version: str) -> None:
    """Record that a version's files were removed.

    Raise LiveModelChanged if the version is live or would be live again after a trial.
    """
    trial = select(TrialRow.champion).where(TrialRow.state == TrialState.RUNNING)
    removed = update(ModelVersionRow).where(
        ModelVersionRow.version == version, ~ModelVersionRow.live, ModelVersionRow.version.not_in(trial)
    )
    if not unit.change(removed.values(removed_at=utc_now())):
        raise LiveModelChanged(expected="another", found=version)


def _version(row: ModelVersionRow) -> ModelVersion:
    return ModelVersion(**{name: getattr(row, name) for name in ModelVersion.__slots__})
