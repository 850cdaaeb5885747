"""Describes the state of the bots, the workers and this machine as plain text for ``/status`` and ``thumbs status``."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

from kombu.exceptions import OperationalError

from broker.queues import broker_problem, queue_length
from core.settings import Settings
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import SCHEMA_REVISION
from storage.models.trials import Trial
from storage.overview import (
    ChatOverview,
    LearningOverview,
    RecentErrors,
    chat_overview,
    errors_since,
    learning_overview,
)
from storage.training.runs import Run

_GB: Final = 1_000_000_000
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts that aren't in the database: the program's version, the broker's state, and DATA_DIR's disk space in bytes.

    ``waiting_messages`` is the number of messages about runs, or None if the broker doesn't respond.
    """

    program: str
    broker_problem: str | None
    waiting_messages: int | None
    disk_free: int
    disk_total: int


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """The state of everything at ``now``, and the errors from the preceding 24 hours."""

    now: datetime
    chat: ChatOverview
    learning: LearningOverview
    errors: RecentErrors


def read_surroundings(settings: Settings) -> Surroundings:
    """Query the disk and the broker. This takes a few seconds if the broker doesn't respond."""
    problem, waiting = broker_problem(settings), None
    if problem is None:
        with suppress(OperationalError, OSError):
            waiting = queue_length(settings)
    disk = shutil.disk_usage(settings.data_dir)
    return Surroundings(version("thumbs"), problem, waiting, disk.free, disk.total)


def read_status(unit: UnitOfWork) -> SystemStatus:
    """Read the state from the database."""
    now = unit.now()
    return SystemStatus(now, chat_overview(unit), learning_overview(unit), errors_since(unit, now - _DAY))


def status_lines(status: SystemStatus, around: Surroundings) -> list[str]:
    """Return the status as lines. Each line begins with a word of at most 9 characters, padded to 10."""
    lines = [("Version", f"{around.program}, database {SCHEMA_REVISION}")]
    lines += _chat_lines(status.chat, status.now)
    lines += _run_lines(status.learning, status.now)
    lines += _model_lines(status.learning)
    lines += [("Worker", f"{worker.process} ({worker.queues})") for worker in status.learning.workers]
    if not status.learning.workers:
        lines.append(("Worker", "none is running"))
    waiting = "responds" if around.waiting_messages is None else f"messages about runs: {around.waiting_messages}"
    lines.append(("Broker", around.broker_problem or waiting))
    lines.append(("Disk", f"{around.disk_free / _GB:.1f} of {around.disk_total / _GB:.1f} GB free"))
    errors = status.errors
    counts = f"{errors.updates} updates, {errors.replies} replies, {errors.runs} runs"
    lines.append(("Errors", f"{counts} in the last 24 hours"))
    return [f"{name:<10}{text}" for name, text in lines]


def trial_text(trial: Trial) -> str:
    """Return which model a trial replaced, and the votes so far."""
    votes = trial.votes
    return (
        f"{trial.version} in place of {trial.champion} since {trial.started_at:%Y-%m-%d %H:%M}; texts with new votes: "
        f"{votes.texts}, right on {votes.trial_right}, {trial.champion} on {votes.champion_right}"
    )


def _chat_lines(chat: ChatOverview, now: datetime) -> list[tuple[str, str]]:
    updates, replies = chat.updates, chat.replies
    unsent = replies[ReplyState.PENDING] + replies[ReplyState.SENDING]
    waiting = f"{updates[UpdateState.RECEIVED]} pending{_age(chat.oldest_pending_update, now)}"
    return [
        ("Updates", f"{waiting}, {updates[UpdateState.FAILED]} failed, {updates[UpdateState.HANDLED]} handled"),
        (
            "Replies",
            f"{unsent} pending{_age(chat.oldest_pending_reply, now)}, {replies[ReplyState.FAILED]} failed, "
            f"{replies[ReplyState.UNCERTAIN]} uncertain, {replies[ReplyState.SENT]} sent",
        ),
    ]


def _run_lines(learning: LearningOverview, now: datetime) -> list[tuple[str, str]]:
    votes = ", ".join(f"{count} {vote.value}" for vote, count in learning.votes.items())
    ended = ", ".join(f"{count} {state.value}" for state, count in learning.runs.items() if count) or "none"
    lines = [("Votes", votes), ("Runs", ended)]
    if learning.open_run is not None:
        held = learning.lease_until is not None and learning.lease_until > now
        lines.append(("Open run", _run_text(learning.open_run) + ("" if held else ", no worker has it")))
    last = learning.last_run
    if last is not None:
        at = "" if last.finished_at is None else f" at {last.finished_at:%Y-%m-%d %H:%M} UTC"
        lines.append(("Last run", f"{_run_text(last)}{at}"))
    if learning.pause is not None:
        by = "" if learning.pause.who is None else f" by {learning.pause.who}"
        lines.append(("Learning", f"paused{by} since {learning.pause.at:%Y-%m-%d %H:%M} UTC"))
    return lines


def _run_text(run: Run) -> str:
    kind = run.kind.replace("_", " ")
    doing = f" ({run.phase.value})" if run.open and run.phase is not None else ""
    return f"{run.number}, a {kind}: {run.state.value}{doing}"


def _model_lines(learning: LearningOverview) -> list[tuple[str, str]]:
    lines = [("Model", learning.live_version or "none has gone live")]
    if learning.trial is not None:
        lines.append(("Trial", trial_text(learning.trial)))
    for bot in learning.bots:
        refusal = f"; refused {bot.refused_version}: {bot.refusal}" if bot.refused_version else ""
        lines.append(("Bot", f"{bot.process} serves {bot.version}{refusal}"))
    return lines if learning.bots else [*lines, ("Bot", "none is running")]


def _age(oldest: datetime | None, now: datetime) -> str:
    return "" if oldest is None else f" (oldest for {max((now - oldest).total_seconds(), 0):.0f} s)"
