"""Requests, claims and finishes training runs, and records their progress.

The table is the queue. The worker that executes a run holds its lease, which consists of an expiry time and a fencing
token. Every write must include the token, so a worker that was presumed dead can no longer write if it comes back.
"""

import math
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, case, func, or_, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import RunKind, RunPhase, RunState, Trigger
from storage.db.tables import RunRow
from storage.errors import LeaseLost, UnknownRun
from storage.training import learning_pauses

# Seconds until a lease expires and others may claim the run. Workers renew their lease about every second.
LEASE_SECONDS: Final = 30
# Number of unfinished attempts after which a run fails.
MAX_ATTEMPTS: Final = 3
# Final states of runs whose candidate was compared with the live model.
EVALUATED: Final = (RunState.PROMOTED, RunState.TRIAL, RunState.HELD, RunState.REJECTED)


@dataclass(frozen=True, slots=True)
class Run:
    """A training run. See ``RunRow`` for the fields.

    ``number`` counts the runs from 1 without gaps, for people to read. Ids have gaps, because a database never assigns
    an id twice.
    """

    id: int
    number: int
    kind: RunKind
    trigger: Trigger
    requested_by: int | None
    state: RunState
    open: bool
    attempts: int
    cancel_asked: bool
    snapshot_at: datetime | None
    step: int
    steps: int | None
    epochs: int | None
    samples_per_second: float | None
    champion: str | None
    candidate: str | None
    decision: dict[str, Any] | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    over_quota: int | None = None
    retrain_at: int | None = None
    phase: RunPhase | None = None
    phase_done: int = 0
    phase_total: int | None = None
    phase_since: datetime | None = None

    @property
    def epoch(self) -> int | None:
        """The epoch of the newest step, starting at 1, or None before the first step."""
        return math.ceil(self.step * self.epochs / self.steps) if self.steps and self.epochs else None

    @property
    def phase_share(self) -> float | None:
        """The share (0 to 1) of the phase that is done, or None if it is not known yet."""
        return min(self.phase_done / self.phase_total, 1.0) if self.phase_total and self.phase_done else None

    def seconds_in_phase(self, now: datetime) -> float:
        """Return how many seconds the phase has lasted, or 0 if there is none."""
        return max((now - self.phase_since).total_seconds(), 0.0) if self.phase_since else 0.0

    def seconds_left(self, now: datetime) -> float | None:
        """Estimate how many more seconds the phase will take at its speed so far, or return None if unknown."""
        share = self.phase_share
        return None if share is None else self.seconds_in_phase(now) * (1 - share) / share


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The open run after a request, and whether the request created or joined it."""

    run: Run
    new: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to execute a run, proven by the fencing token."""

    run: Run
    token: int


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The progress of a training run: steps done, total steps and epochs, and texts per second."""

    step: int
    steps: int
    epochs: int
    samples_per_second: float


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """What a run's trainer is doing, and how much of it is done. ``total`` is None if unknown."""

    phase: RunPhase
    done: int
    total: int | None


def request_run(unit: UnitOfWork, kind: RunKind, trigger: Trigger, requested_by: int | None = None) -> RunRequest:
    """Queue a run, or join the open run, whatever its kind. ``requested_by`` is a Telegram id."""
    values = {"kind": kind, "trigger": trigger, "requested_by": requested_by}
    new = unit.scalar(unit.insert(RunRow).values(**values, open=True).on_conflict_do_nothing().returning(RunRow.id))
    if new is not None:
        return RunRequest(get_run(unit, new), new=True)
    joined = open_run(unit)
    # Retry if the open run finished between the two statements.
    return RunRequest(joined, new=False) if joined else request_run(unit, kind, trigger, requested_by)


def open_run(unit: UnitOfWork) -> Run | None:
    """Return the run that is queued, running or evaluating. There is at most one."""
    row = unit.execute(_select_runs().where(RunRow.open)).one_or_none()
    return _run(row) if row else None


def get_run(unit: UnitOfWork, run_id: int) -> Run:
    """Return the current state of a run, or raise UnknownRun."""
    row = unit.execute(_select_runs().where(RunRow.id == run_id)).one_or_none()
    if row is None:
        raise UnknownRun(run_id=run_id)
    return _run(row)


def chart_of(unit: UnitOfWork, run_id: int) -> bytes | None:
    """Return the chart of a run's decision as a PNG, or None if there is no chart."""
    return unit.scalar(select(RunRow.card).where(RunRow.id == run_id))


def newest_runs(unit: UnitOfWork, count: int) -> list[Run]:
    """Return the newest runs, newest first."""
    return [_run(row) for row in unit.execute(_select_runs().order_by(RunRow.id.desc()).limit(count))]


def run_numbers(unit: UnitOfWork) -> dict[int, int]:
    """Return the number of every run, keyed by id."""
    return {run_id: number for number, run_id in enumerate(unit.scalars(select(RunRow.id).order_by(RunRow.id)), 1)}


def newest_in(unit: UnitOfWork, *states: RunState) -> Run | None:
    """Return the newest run in any of these states."""
    newest = _select_runs().where(RunRow.state.in_(states)).order_by(RunRow.id.desc()).limit(1)
    row = unit.execute(newest).one_or_none()
    return _run(row) if row else None


def cancel(unit: UnitOfWork, run_id: int) -> bool:
    """Cancel an open run, or return False if it has already ended in a different state.

    A run without a lease holder ends immediately. Otherwise, the worker notices the request when it renews the lease.
    """
    unit.change(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.open, _unheld(unit.now()))
        .values(**_ended(RunState.CANCELLED), cancel_asked=True)
    )
    requested = unit.change(update(RunRow).where(RunRow.id == run_id, RunRow.open).values(cancel_asked=True))
    return bool(requested) or get_run(unit, run_id).state is RunState.CANCELLED


def claim(unit: UnitOfWork, run_id: int, owner: str) -> Lease | None:
    """Claim a run, or return None if it has a lease holder or has finished.

    After MAX_ATTEMPTS attempts, a claim ends the run as FAILED, with the error from the last attempt. If cancellation
    of the run was requested, a claim ends it as CANCELLED. While learning is paused, no run can be claimed.
    """
    if learning_pauses.is_paused(unit):
        return None
    now = unit.now()
    claimable = (RunRow.id == run_id) & RunRow.open & _unheld(now)
    unit.change(update(RunRow).where(claimable, RunRow.cancel_asked).values(**_ended(RunState.CANCELLED)))
    reason = f"The run was started {MAX_ATTEMPTS} times and never finished."
    error = case((RunRow.error.is_(None), reason), else_=reason + " " + RunRow.error)
    failed = {**_ended(RunState.FAILED), "error": error}
    unit.change(update(RunRow).where(claimable, RunRow.attempts >= MAX_ATTEMPTS).values(**failed))
    token = unit.scalar(
        update(RunRow)
        .where(claimable)
        .values(
            state=RunState.RUNNING,
            attempts=RunRow.attempts + 1,
            lease_owner=owner,
            lease_token=RunRow.lease_token + 1,
            lease_until=now + timedelta(seconds=LEASE_SECONDS),
            started_at=now,
            phase=None,
            phase_done=0,
            phase_total=None,
            phase_since=None,
            error=None,
        )
        .returning(RunRow.lease_token)
        .execution_options(synchronize_session=False)
    )
    return None if token is None else Lease(get_run(unit, run_id), token)


def renew(unit: UnitOfWork, lease: Lease) -> bool:
    """Renew the lease, and return whether cancellation of the run was requested.

    Raise LeaseLost if this worker no longer holds the lease.
    """
    _write(unit, lease, lease_until=unit.now() + timedelta(seconds=LEASE_SECONDS))
    return bool(unit.scalar(select(RunRow.cancel_asked).where(RunRow.id == lease.run.id)))


def record_progress(unit: UnitOfWork, lease: Lease, progress: RunProgress) -> None:
    """Record the progress of the training run.

    Raise LeaseLost if this worker no longer holds the lease.
    """
    _write(unit, lease, **asdict(progress))


def record_phase(unit: UnitOfWork, lease: Lease, progress: PhaseProgress) -> None:
    """Record the run's phase and, if it is new or was restarted, when it began.

    Raise LeaseLost if this worker no longer holds the lease.
    """
    same = (RunRow.phase == progress.phase) & (RunRow.phase_done <= progress.done)
    since = case((same, RunRow.phase_since), else_=unit.now())
    _write(unit, lease, phase=progress.phase, phase_done=progress.done, phase_total=progress.total, phase_since=since)


def record_snapshot(unit: UnitOfWork, lease: Lease, champion: str, over_quota: int = 0) -> None:
    """Record that the run has its snapshot, and which live version to compare the candidate with.

    ``over_quota`` is the number of usable texts that are not trained on, because they would exceed a person's share.
    Raise LeaseLost if this worker no longer holds the lease.
    """
    _write(unit, lease, snapshot_at=utc_now(), champion=champion, over_quota=over_quota)


def retrain_at(unit: UnitOfWork, run_id: int, texts: int) -> None:
    """Let the next feedback round start once there are this many texts with usable votes."""
    unit.change(update(RunRow).where(RunRow.id == run_id).values(retrain_at=texts))


def set_state(unit: UnitOfWork, lease: Lease, state: RunState) -> None:
    """Change the state of a run that stays open.

    Raise LeaseLost if this worker no longer holds the lease.
    """
    _write(unit, lease, state=state)


def release(unit: UnitOfWork, lease: Lease, error: str | None) -> None:
    """Release the lease, so that any worker may claim the run immediately.

    ``error`` is a sentence that says why the attempt ended. If ``error`` is None, the worker stopped for reasons
    unrelated to the run, and the attempt does not count. Raise LeaseLost if this worker no longer holds the lease.
    """
    attempts = RunRow.attempts - 1 if error is None else RunRow.attempts
    # The new token prevents a renewal that is still in flight from taking back the run.
    token = RunRow.lease_token + 1
    _write(unit, lease, state=RunState.QUEUED, lease_until=None, lease_token=token, attempts=attempts, error=error)


def finish(  # noqa: PLR0913 - one argument for each column
    unit: UnitOfWork,
    lease: Lease,
    state: RunState,
    *,
    candidate: str | None = None,
    decision: dict[str, Any] | None = None,
    card: bytes | None = None,
    error: str | None = None,
) -> None:
    """Finish the run and record its result.

    Raise LeaseLost if this worker no longer holds the lease.
    """
    _write(unit, lease, **_ended(state), candidate=candidate, decision=decision, card=card, error=error)


def unclaimed_runs(unit: UnitOfWork) -> list[int]:
    """Return the open runs without a lease holder: queued runs, and runs abandoned by a worker that died.

    While learning is paused, return none, because nobody may claim them.
    """
    if learning_pauses.is_paused(unit):
        return []
    return list(unit.scalars(select(RunRow.id).where(RunRow.open, _unheld(unit.now()))))


def _unheld(now: datetime) -> ColumnElement[bool]:
    return or_(RunRow.lease_until.is_(None), RunRow.lease_until < now)


def _ended(state: RunState) -> dict[str, Any]:
    return {"state": state, "open": False, "lease_until": None, "finished_at": utc_now()}


def _write(unit: UnitOfWork, lease: Lease, **values: Any) -> None:  # noqa: ANN401 - columns of several types
    leased = update(RunRow).where(RunRow.id == lease.run.id, RunRow.open, RunRow.lease_token == lease.token)
    if not unit.change(leased.values(**values)):
        raise LeaseLost(run_id=lease.run.id)


def _select_runs() -> Select[*tuple[Any, ...]]:
    """Select runs, each with its number. Runs are never deleted, so a run's number never changes."""
    earlier = aliased(RunRow)
    number = select(func.count()).where(earlier.id <= RunRow.id).correlate(RunRow).scalar_subquery()
    return select(RunRow, number.label("number")).execution_options(populate_existing=True)


def _run(row: Row[Any]) -> Run:
    return Run(**{name: row.number if name == "number" else getattr(row.RunRow, name) for name in Run.__slots__})
