"""Training runs: asked for, claimed under a lease, followed, ended.

The row is the queue. Whoever carries a run out holds its lease, a moment until which it is theirs and a fencing token
that every later write has to show: a worker that was taken for dead and comes back cannot write any more.
"""

import math
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import case, or_, select, update
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import RunKind, RunState, Trigger
from storage.db.tables import RunRow
from storage.errors import LeaseLost, UnknownRun

# Seconds that a lease lasts; it is renewed each second or so, and taken over once it has run out.
LEASE_SECONDS: Final = 30
# A run that was taken up so often and never came to an end has failed.
MAX_ATTEMPTS: Final = 3
# How a run ends of which a model came that was compared with the live one.
EVALUATED: Final = (RunState.PROMOTED, RunState.HELD, RunState.REJECTED)


@dataclass(frozen=True, slots=True)
class Run:
    """A training run as it stands; see ``RunRow`` for the fields."""

    id: int
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

    @property
    def epoch(self) -> int | None:
        """The epoch that the newest step belongs to, from 1 on; None before the first."""
        return math.ceil(self.step * self.epochs / self.steps) if self.steps and self.epochs else None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What came of asking for a run: the open run, and whether it is a new one or one that was joined."""

    run: Run
    new: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to carry out a run, which ``token`` proves."""

    run: Run
    token: int


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far the training of a run is: steps done and in all, in how many epochs, and texts a second."""

    step: int
    steps: int
    epochs: int
    samples_per_second: float


def request_run(unit: UnitOfWork, kind: RunKind, trigger: Trigger, requested_by: int | None = None) -> RunRequest:
    """Queue a run, or join the one that is open, whatever its kind. ``requested_by`` is a Telegram id."""
    values = {"kind": kind, "trigger": trigger, "requested_by": requested_by}
    new = unit.scalar(unit.insert(RunRow).values(**values, open=True).on_conflict_do_nothing().returning(RunRow.id))
    if new is not None:
        return RunRequest(get_run(unit, new), new=True)
    joined = open_run(unit)
    # The open run ended between the two statements, which a second try settles.
    return RunRequest(joined, new=False) if joined else request_run(unit, kind, trigger, requested_by)


def open_run(unit: UnitOfWork) -> Run | None:
    """The run that is queued, running or evaluating; there is at most one."""
    row = unit.scalar(select(RunRow).where(RunRow.open))
    return _run(row) if row else None


def get_run(unit: UnitOfWork, run_id: int) -> Run:
    """The run with this id as it is now; raises UnknownRun."""
    row = unit.scalar(select(RunRow).where(RunRow.id == run_id).execution_options(populate_existing=True))
    if row is None:
        raise UnknownRun(run_id=run_id)
    return _run(row)


def chart_of(unit: UnitOfWork, run_id: int) -> bytes | None:
    """The chart that goes with a run's decision, a PNG; None where none was drawn."""
    return unit.scalar(select(RunRow.card).where(RunRow.id == run_id))


def newest_runs(unit: UnitOfWork, count: int) -> list[Run]:
    """The newest runs, newest first."""
    return [_run(row) for row in unit.scalars(select(RunRow).order_by(RunRow.id.desc()).limit(count))]


def newest_in(unit: UnitOfWork, *states: RunState) -> Run | None:
    """The newest run in one of these states."""
    row = unit.scalar(select(RunRow).where(RunRow.state.in_(states)).order_by(RunRow.id.desc()).limit(1))
    return _run(row) if row else None


def cancel(unit: UnitOfWork, run_id: int) -> bool:
    """Ask for the end of an open run: one that nobody holds ends at once, else its worker sees it. False when ended."""
    unit.change(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.open, _unheld(utc_now()))
        .values(**_ended(RunState.CANCELLED), cancel_asked=True)
    )
    asked = unit.change(update(RunRow).where(RunRow.id == run_id, RunRow.open).values(cancel_asked=True))
    return bool(asked) or get_run(unit, run_id).state is RunState.CANCELLED


def claim(unit: UnitOfWork, run_id: int, owner: str) -> Lease | None:
    """Take a run whose lease nobody holds; None when another does, or when it has ended.

    The claim after MAX_ATTEMPTS ends the run as FAILED, with what is known of the last one, and a run that was to be
    cancelled ends as that.
    """
    now = utc_now()
    free = (RunRow.id == run_id) & RunRow.open & _unheld(now)
    unit.change(update(RunRow).where(free, RunRow.cancel_asked).values(**_ended(RunState.CANCELLED)))
    error = f"It was started {MAX_ATTEMPTS} times and never came to an end."
    known = case((RunRow.error.is_(None), error), else_=error + " " + RunRow.error)
    failed = {**_ended(RunState.FAILED), "error": known}
    unit.change(update(RunRow).where(free, RunRow.attempts >= MAX_ATTEMPTS).values(**failed))
    token = unit.scalar(
        update(RunRow)
        .where(free)
        .values(
            state=RunState.RUNNING,
            attempts=RunRow.attempts + 1,
            lease_owner=owner,
            lease_token=RunRow.lease_token + 1,
            lease_until=now + timedelta(seconds=LEASE_SECONDS),
            started_at=now,
            error=None,
        )
        .returning(RunRow.lease_token)
        .execution_options(synchronize_session=False)
    )
    return None if token is None else Lease(get_run(unit, run_id), token)


def renew(unit: UnitOfWork, lease: Lease) -> bool:
    """Renew the lease; whether somebody asked to cancel the run. Raises LeaseLost."""
    _write(unit, lease, lease_until=utc_now() + timedelta(seconds=LEASE_SECONDS))
    return bool(unit.scalar(select(RunRow.cancel_asked).where(RunRow.id == lease.run.id)))


def record_progress(unit: UnitOfWork, lease: Lease, progress: RunProgress) -> None:
    """Note how far the training is; raises LeaseLost."""
    _write(unit, lease, **asdict(progress))


def record_snapshot(unit: UnitOfWork, lease: Lease, champion: str) -> None:
    """Note that the run's data is written down, and the version that its candidate has to beat; raises LeaseLost."""
    _write(unit, lease, snapshot_at=utc_now(), champion=champion)


def set_state(unit: UnitOfWork, lease: Lease, state: RunState) -> None:
    """Go on to another state in which the run is still open; raises LeaseLost."""
    _write(unit, lease, state=state)


def release(unit: UnitOfWork, lease: Lease, blame: str | None) -> None:
    """Give the run back, so that anybody may claim it at once; raises LeaseLost.

    ``blame`` is a sentence about what ended the attempt; without one, when its worker had to stop for reasons of its
    own, the attempt does not count.
    """
    attempts = RunRow.attempts - 1 if blame is None else RunRow.attempts
    # Another token: a renewal on its way must not take the run back.
    token = RunRow.lease_token + 1
    _write(unit, lease, state=RunState.QUEUED, lease_until=None, lease_token=token, attempts=attempts, error=blame)


def finish(  # noqa: PLR0913 - one argument a fact
    unit: UnitOfWork,
    lease: Lease,
    state: RunState,
    *,
    candidate: str | None = None,
    decision: dict[str, Any] | None = None,
    card: bytes | None = None,
    error: str | None = None,
) -> None:
    """End the run, with what came of it; raises LeaseLost."""
    _write(unit, lease, **_ended(state), candidate=candidate, decision=decision, card=card, error=error)


def unclaimed_runs(unit: UnitOfWork) -> list[int]:
    """The open runs whose lease nobody holds: queued ones, and those whose worker died."""
    return list(unit.scalars(select(RunRow.id).where(RunRow.open, _unheld(utc_now()))))


def _unheld(now: datetime) -> ColumnElement[bool]:
    return or_(RunRow.lease_until.is_(None), RunRow.lease_until < now)


def _ended(state: RunState) -> dict[str, Any]:
    return {"state": state, "open": False, "lease_until": None, "finished_at": utc_now()}


def _write(unit: UnitOfWork, lease: Lease, **values: Any) -> None:  # noqa: ANN401 - columns of several types
    mine = update(RunRow).where(RunRow.id == lease.run.id, RunRow.open, RunRow.lease_token == lease.token)
    if not unit.change(mine.values(**values)):
        raise LeaseLost(run_id=lease.run.id)


def _run(row: RunRow) -> Run:
    return Run(**{name: getattr(row, name) for name in Run.__slots__})
