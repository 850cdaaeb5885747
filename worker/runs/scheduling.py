"""When a run starts by itself, and which runs a worker has to be told of again."""

import logging
from datetime import datetime, timedelta
from typing import Final

from core.settings import Settings
from storage.db.database import Database, UnitOfWork
from storage.db.states import RunKind, RunState, Trigger
from storage.feedback.eligibility import EligibilityRules
from storage.models import registry
from storage.training import runs, snapshots
from storage.training.runs import Run

logger = logging.getLogger(__name__)

# A run that failed or was cancelled is not started again by itself before this.
_PAUSE: Final = timedelta(hours=12)


def start_due(database: Database, settings: Settings, now: datetime) -> Run | None:
    """Ask for a feedback round when one is due by RETRAIN_AFTER or RETRAIN_DAYS; the new run."""
    with database.reading() as unit:
        trigger = _due(unit, settings, now)
    if trigger is None:
        return None
    with database.unit_of_work() as unit:
        ask = runs.request_run(unit, RunKind.FEEDBACK_ROUND, trigger)
    logger.info("Run %d is due: %s", ask.run.id, trigger)
    return ask.run if ask.new else None


def unclaimed_runs(database: Database) -> list[int]:
    """The open runs that nobody carries out."""
    with database.reading() as unit:
        return runs.unclaimed_runs(unit)


def open_run(database: Database) -> int | None:
    """The run that has not ended, whoever carries it out."""
    with database.reading() as unit:
        run = runs.open_run(unit)
    return run.id if run else None


def _due(unit: UnitOfWork, settings: Settings, now: datetime) -> Trigger | None:
    last = next(iter(runs.newest_runs(unit, 1)), None)
    if last is not None and (last.open or _broke_off_lately(last, now)):
        return None
    since = last.created_at if last else _first_model(unit)
    if since is None:
        return None
    new = snapshots.count_new_eligible(unit, EligibilityRules.of(settings), frozenset(settings.admin_ids))
    if settings.retrain_after and new >= settings.retrain_after:
        return Trigger.JUDGEMENTS
    if settings.retrain_days and new and now - since >= timedelta(days=settings.retrain_days):
        return Trigger.SCHEDULE
    return None


def _broke_off_lately(run: Run, now: datetime) -> bool:
    broken = run.state in (RunState.FAILED, RunState.CANCELLED)
    return broken and run.finished_at is not None and now - run.finished_at < _PAUSE


def _first_model(unit: UnitOfWork) -> datetime | None:
    """When the first model was registered: judgements cannot be older."""
    return min((version.created_at for version in registry.versions(unit)), default=None)
