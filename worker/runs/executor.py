"""Executes a training run: claims it, takes a snapshot, trains, evaluates, decides and publishes.

The executor knows nothing about queues: the run's database row specifies the work. If this process dies, the row stays
open and its lease expires, so another worker retries the run.
"""

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.errors import ThumbsError
from core.settings import Settings
from storage.db.database import Database
from storage.db.states import RunState
from storage.errors import LeaseLost
from storage.models import trials
from storage.models.artifact_store import ArtifactStore
from storage.training import runs
from storage.training.runs import Lease
from worker.errors import RunCancelled, RunPaused, TrainerDied, WorkerStopping
from worker.gate.decision import Decision, GateBounds, decide
from worker.gate.measurements import Measurements
from worker.runs.job_builder import build_job, take_snapshot
from worker.runs.lease_keeper import LeaseKeeper
from worker.runs.looks import take_look
from worker.runs.publication import RunResult, publish
from worker.runs.run_directory import RunDirectory, run_directory
from worker.runs.stop_conditions import StopConditions
from worker.runs.trainer_events import record_test_result, wait_for_measurements
from worker.runs.weighing import weigh_votes
from worker.trainer.process import TrainerProcess, require_training_python

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """Everything that a worker needs to execute runs. ``stopping`` returns whether the worker was told to stop."""

    settings: Settings
    database: Database
    stopping: Callable[[], bool]


def execute_run(context: WorkerContext, run_id: int) -> None:
    """Execute the run and record how it ended. Do nothing if another worker holds the run or the run has ended."""
    with context.database.unit_of_work() as unit:
        lease = runs.claim(unit, run_id, f"{socket.gethostname()}:{os.getpid()}")
    if lease is None:
        logger.info("Run %d has ended or belongs to another worker", run_id)
        return
    logger.info("Run %d started, attempt %d", run_id, lease.run.attempts)
    try:
        with LeaseKeeper(context.database, lease) as keeper:
            _Attempt(context, lease, keeper).execute()
    except LeaseLost as error:
        logger.info("%s", error)


class _Attempt:
    """One attempt at a run. Every method raises LeaseLost once another worker has taken over the run."""

    def __init__(self, context: WorkerContext, lease: Lease, keeper: LeaseKeeper) -> None:
        self._settings = context.settings
        self._database = context.database
        self._lease = lease
        self._keeper = keeper
        self._stop = StopConditions(lease.run, keeper, context.stopping)

    def execute(self) -> None:
        """Execute the run to the end, or release it for another attempt."""
        directory: RunDirectory | None = None
        try:
            with run_directory(self._settings, self._lease.run.id, self._stop.pause) as directory:
                self._train_and_publish(directory)
        except LeaseLost:
            raise
        except (WorkerStopping, RunPaused) as pause:
            self._release(pause, error=None)
        except TrainerDied as death:
            self._release(death, error=str(death))
        except RunCancelled:
            self._finish(RunState.CANCELLED, directory)
        except ThumbsError as error:
            self._finish(RunState.FAILED, directory, str(error))

    def _train_and_publish(self, directory: RunDirectory) -> None:
        python = require_training_python(self._settings)
        store = ArtifactStore.open(self._settings.store_address)
        lease = take_snapshot(self._database, self._settings, self._lease)
        job = build_job(self._database, self._settings, store, lease.run, directory)
        with TrainerProcess(python, job, directory.lock_descriptor) as trainer:
            done = wait_for_measurements(trainer, self._keeper, self._stop)
            measured = replace(done.measured, judgements=weigh_votes(self._database, self._settings, done.votes))
            allowance = take_look(self._database, self._settings, lease.run, measured.judgements)
            decision = decide(measured, self._bounds(), allowance)
            self._stop.check()
            result = RunResult(done, decision, _draw_chart(decision, measured))
            state = publish(self._database, store, lease, directory, result)
            self._clean_up(state, directory)
            if state is not RunState.REJECTED:
                record_test_result(trainer, self._database, done.version, self._stop)

    def _bounds(self) -> GateBounds:
        """Return the bounds from the settings. While a model is on trial, the gate puts no other model on trial."""
        bounds = GateBounds.from_settings(self._settings)
        with self._database.reading() as unit:
            return replace(bounds, trials=False) if trials.running_trial(unit) else bounds

    def _release(self, reason: ThumbsError, error: str | None) -> None:
        """Let another worker claim the run. If there is an ``error``, it is recorded and the attempt counts."""
        with self._database.unit_of_work() as unit:
            runs.release(unit, self._lease, error)
        # Log after releasing the lease, so that anyone who sees the message can immediately enqueue the run again.
        logger.warning("%s", reason)

    def _finish(self, state: RunState, directory: RunDirectory | None, error: str | None = None) -> None:
        """End a run that published nothing."""
        if error is not None:
            logger.warning("Run %d failed: %s", self._lease.run.id, error)
        with self._database.unit_of_work() as unit:
            runs.finish(unit, self._lease, state, error=error)
        self._clean_up(state, directory)

    def _clean_up(self, state: RunState, directory: RunDirectory | None) -> None:
        """Remove the run's directory.

        Call this only after recording the run's end, because a retry would need the checkpoint.
        """
        if directory is not None:
            directory.remove()
        logger.info("Run %d ended: %s", self._lease.run.id, state)


def _draw_chart(decision: Decision, measured: Measurements) -> bytes:
    """Draw the decision's chart as a PNG."""
    from worker.gate.chart import draw_chart  # noqa: PLC0415 - matplotlib takes a second, and only this process needs it

    return draw_chart(decision, measured)
