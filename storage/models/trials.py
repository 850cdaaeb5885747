"""Models on trial, which are live until new votes confirm them or bring back the model that they replaced.

``registry`` starts and ends trials, because each start and most ends change the live model.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import TrialState
from storage.db.tables import TrialRow


@dataclass(frozen=True, slots=True)
class TrialVotes:
    """How many texts have votes on verdicts shown since a trial started, and how many of them each model gets right."""

    texts: int
    champion_right: int
    trial_right: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial. See ``TrialRow`` for the fields."""

    id: int
    run_id: int
    version: str
    champion: str
    state: TrialState
    started_by: int | None
    started_at: datetime
    ended_by: int | None
    ended_at: datetime | None
    why: str | None
    evidence: dict[str, Any] | None

    @property
    def running(self) -> bool:
        """Whether the model is still on trial."""
        return self.state is TrialState.RUNNING

    @property
    def reason(self) -> str:
        """Return the reason for the trial's end as a sentence, or "" while it is running."""
        return as_sentence(self.why, self.ended_by) if self.why else ""

    @property
    def votes(self) -> "TrialVotes":
        """The counts from the newest evidence, which are 0 before the first vote."""
        names = ("texts", "champion_right", "candidate_right")
        return TrialVotes(*((self.evidence or {}).get(name, 0) for name in names))


def running_trial(unit: UnitOfWork) -> Trial | None:
    """Return the trial in progress, if any. There is at most one."""
    row = unit.scalar(select(TrialRow).where(TrialRow.state == TrialState.RUNNING))
    return _trial(row) if row else None


def get_trial(unit: UnitOfWork, trial_id: int) -> Trial | None:
    """Return the trial with this id, or None."""
    row = unit.scalar(select(TrialRow).where(TrialRow.id == trial_id).execution_options(populate_existing=True))
    return _trial(row) if row else None


def trials(unit: UnitOfWork, count: int | None = None) -> list[Trial]:
    """Return the newest ``count`` trials, or all of them, newest first."""
    return [_trial(row) for row in unit.scalars(select(TrialRow).order_by(TrialRow.id.desc()).limit(count))]


def trial_of_run(unit: UnitOfWork, run_id: int) -> Trial | None:
    """Return the newest trial of a run's model, or None if it was never on trial."""
    row = unit.scalar(select(TrialRow).where(TrialRow.run_id == run_id).order_by(TrialRow.id.desc()).limit(1))
    return _trial(row) if row else None


def start(unit: UnitOfWork, run_id: int, version: str, champion: str, who: int | None) -> int:
    """Record that a model went live on trial in place of ``champion``, and return the trial's id."""
    row = TrialRow(run_id=run_id, version=version, champion=champion, started_by=who)
    unit.add(row)
    unit.flush()
    return row.id


def end(unit: UnitOfWork, trial_id: int, state: TrialState, why: str, who: int | None) -> bool:
    """End a trial, or return False if it has already ended, perhaps in another process."""
    running = update(TrialRow).where(TrialRow.id == trial_id, TrialRow.state == TrialState.RUNNING)
    return bool(unit.change(running.values(state=state, ended_at=utc_now(), ended_by=who, why=why)))


def record_evidence(unit: UnitOfWork, trial_id: int, evidence: dict[str, Any]) -> None:
    """Record the newest evidence on a running trial."""
    running = update(TrialRow).where(TrialRow.id == trial_id, TrialRow.state == TrialState.RUNNING)
    unit.change(running.values(evidence=evidence))


def as_sentence(why: str, who: int | None) -> str:
    """Return a recorded reason as a sentence. The sentence names the admin, unless that person was deleted."""
    named = why if who is None else why.replace("an admin", f"admin {who}", 1)
    return named[:1].upper() + named[1:] + ("" if named.endswith((".", "!", "?")) else ".")


def _trial(row: TrialRow) -> Trial:
    return Trial(**{name: getattr(row, name) for name in Trial.__slots__})
