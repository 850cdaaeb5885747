"""Counts rows in the database, for ``thumbs status``, ``/status`` and metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from storage.db.database import UnitOfWork
from storage.db.states import ReplyState, RunState, UpdateState, Vote
from storage.db.tables import ReplyRow, RunRow, UpdateRow, VoteRow
from storage.models import instances, registry, trials
from storage.models.instances import BotInstance
from storage.models.trials import Trial
from storage.training import learning_pauses, runs, workers
from storage.training.learning_pauses import LearningPause
from storage.training.runs import EVALUATED, Run
from storage.training.workers import RunningWorker

_ENDED: Final = (*EVALUATED, RunState.FAILED, RunState.CANCELLED)
State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ChatOverview:
    """The state of the inbox and the outbox, for one bot or for all bots.

    Handled updates and sent replies are included until they are purged. A time is None if nothing is pending.
    """

    updates: Mapping[UpdateState, int]
    replies: Mapping[ReplyState, int]
    oldest_pending_update: datetime | None
    oldest_pending_reply: datetime | None


@dataclass(frozen=True, slots=True)
class LearningOverview:
    """Votes, training runs, the live model, its trial (if any), and the running bots and workers.

    ``last_run`` is the newest run that has ended. ``pause`` is the newest pause of learning, or None if learning is not
    paused.
    ``lease_until`` is when the open run's lease expires, or None if no worker has claimed the run.
    """

    votes: Mapping[Vote, int]
    runs: Mapping[RunState, int]
    open_run: Run | None
    lease_until: datetime | None
    last_run: Run | None
    pause: LearningPause | None
    workers: list[RunningWorker]
    live_version: str | None
    trial: Trial | None
    bots: list[BotInstance]


@dataclass(frozen=True, slots=True)
class RecentErrors:
    """How many updates and runs failed, and how many replies failed or may not have arrived."""

    updates: int
    replies: int
    runs: int


def chat_overview(unit: UnitOfWork, bot_id: int | None = None) -> ChatOverview:
    """Count the updates and replies for the bot with this id (default: for all bots)."""
    updates = UpdateRow.bot_id == bot_id if bot_id is not None else UpdateRow.bot_id.is_not(None)
    replies = ReplyRow.bot_id == bot_id if bot_id is not None else ReplyRow.bot_id.is_not(None)
    pending_updates = select(func.min(UpdateRow.received_at)).where(updates, UpdateRow.state == UpdateState.RECEIVED)
    pending_replies = select(func.min(ReplyRow.created_at)).where(replies, ReplyRow.state == ReplyState.PENDING)
    return ChatOverview(
        updates=_count(unit, UpdateRow.state, UpdateState, updates),
        replies=_count(unit, ReplyRow.state, ReplyState, replies),
        oldest_pending_update=unit.scalar(pending_updates),
        oldest_pending_reply=unit.scalar(pending_replies),
    )


def learning_overview(unit: UnitOfWork) -> LearningOverview:
    """Count votes and runs, and look up the open run, the live model and the running bots."""
    live = registry.live_model(unit)
    return LearningOverview(
        votes=_count(unit, VoteRow.verdict, Vote),
        runs=_count(unit, RunRow.state, RunState),
        open_run=runs.open_run(unit),
        lease_until=unit.scalar(select(RunRow.lease_until).where(RunRow.open)),
        last_run=runs.newest_in(unit, *_ENDED),
        pause=next((pause for pause in learning_pauses.newest_pauses(unit, 1) if pause.paused), None),
        workers=workers.running_workers(unit),
        live_version=live.version if live else None,
        trial=trials.running_trial(unit),
        bots=instances.live_instances(unit),
    )


def errors_since(unit: UnitOfWork, since: datetime) -> RecentErrors:
    """Count the failures of all bots since the time ``since``."""
    updates = (UpdateRow.state == UpdateState.FAILED, UpdateRow.finished_at >= since)
    replies = (ReplyRow.state.in_([ReplyState.FAILED, ReplyState.UNCERTAIN]), ReplyRow.changed_at >= since)
    failed_runs = (RunRow.state == RunState.FAILED, RunRow.finished_at >= since)
    return RecentErrors(
        *(unit.scalars(select(func.count()).where(*where)).one() for where in (updates, replies, failed_runs))
    )


def _count(
    unit: UnitOfWork, column: InstrumentedAttribute[State], states: type[State], *where: ColumnElement[bool]
) -> dict[State, int]:
    """Count the rows in each state, with 0 for states that no row has."""
    found = dict(unit.execute(select(column, func.count()).where(*where).group_by(column)).all())
    return {state: found.get(state, 0) for state in states}
