"""Starts feedback rounds that are due, and finds open runs that no worker holds."""

import logging
from datetime import datetime, timedelta
from typing import Final

from core.settings import Settings
from storage.db.database import Database, UnitOfWork
from storage.db.states import RunKind, RunState, Trigger
from storage.feedback.eligibility import EligibilityRules
from storage.models import registry
from storage.training import learning_pauses, runs, snapshots
from storage.training.runs import Run

logger = logging.getLogger(__name__)

# The pause before the next automatic run after a run has failed or been cancelled.
_RETRY_AFTER: Final = timedelta(hours=12)


def start_due_run(database: Database, settings: Settings, now: datetime) -> Run | None:
    """Request a feedback round if it is due according to RETRAIN_AFTER, RETRAIN_DAYS or an admin. Return the new run.

    Admins can tap a button to start the next round at a given number of texts. While learning is paused, no run is due.
    """
    with database.reading() as unit:
        trigger = None if learning_pauses.is_paused(unit) else _due_trigger(unit, settings, now)
    if trigger is None:
        return None
    with database.unit_of_work() as unit:
        request = runs.request_run(unit, RunKind.FEEDBACK_ROUND, trigger)
    logger.info("Run %d is due: %s", request.run.id, trigger)
    return request.run if request.new else None


def unclaimed_runs(database: Database) -> list[int]:
    """Return the ids of open runs that no worker holds."""
    with database.reading() as unit:
        return runs.unclaimed_runs(unit)


def open_run_id(database: Database) -> int | None:
    """Return the id of the run that has not ended, or None if all runs have ended."""
    with database.reading() as unit:
        run = runs.open_run(unit)
    return run.id if run else None


def _due_trigger(unit: UnitOfWork, settings: Settings, now: datetime) -> Trigger | None:
    last = next(iter(runs.newest_runs(unit, 1)), None)
    if last is not None and (last.open or _failed_recently(last, now)):
        return None
    since = last.created_at if last else _first_model_registered_at(unit)
    if since is None:
        return None
    rules, admins = EligibilityRules.from_settings(settings), frozenset(settings.admin_ids)
    if last is not None and last.retrain_at and snapshots.preview(unit, rules, admins).usable >= last.retrain_at:
        return Trigger.CORRECTIONS
    new = snapshots.count_new_eligible(unit, rules, admins)
    if settings.retrain_after and new >= settings.retrain_after:
        return Trigger.CORRECTIONS
    if settings.retrain_days and new and now - since >= timedelta(days=settings.retrain_days):
        return Trigger.SCHEDULE
    return None


def _failed_recently(run: Run, now: datetime) -> bool:
    failed = run.state in (RunState.FAILED, RunState.CANCELLED)
    return failed and run.finished_at is not None and now - run.finished_at < _RETRY_AFTER


def _first_model_registered_at(unit: UnitOfWork) -> datetime | None:
    """Return the time when the first model was registered, or None if there are no models.

    Nobody could vote before that time.
    """
    return min((version.created_at for version in registry.versions(unit)), default=None)
