"""Carries out a training run: claim, snapshot, train, judge, publish. Knows no queue: the row says what there is to do.

Whatever ends this process, the run's row stays open and its lease lapses, so that another takes it up again.
"""

import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from broker.queues import SOFT_LIMIT
from core.errors import ThumbsError
from core.settings import Settings
from storage.db.database import Database
from storage.db.states import RunState
from storage.errors import LeaseLost
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.training import runs
from storage.training.runs import Lease, RunProgress
from worker.errors import RunCancelled, RunTooLong, TrainerDied, TrainingFailed, WorkerStopping
from worker.gate.decision import Decision, GateBounds, decide
from worker.gate.measurements import Measured
from worker.runs.job_builder import build_job, take_snapshot
from worker.runs.lease_keeper import LeaseKeeper
from worker.runs.publication import Result, publish
from worker.runs.run_directory import RunDirectory, run_directory
from worker.trainer.process import Exited, TrainerProcess, require_training_python
from worker.trainer.protocol import Done, Evaluating, Failed, Tested, Trained

logger = logging.getLogger(__name__)

# Seconds between two looks at whether the run is still wanted.
_LOOK_EVERY: Final = 0.5
# Seconds before the queue's own limit at which a run is ended with a sentence.
_LONGEST: Final = SOFT_LIMIT - 60


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a worker carries runs out with; ``stopping`` says whether it was told to stop."""

    settings: Settings
    database: Database
    stopping: Callable[[], bool]


def execute_run(place: WorkerContext, run_id: int) -> None:
    """Carry the run out if nobody else does, and write down what came of it."""
    with place.database.unit_of_work() as unit:
        lease = runs.claim(unit, run_id, f"{socket.gethostname()}:{os.getpid()}")
    if lease is None:
        logger.info("Run %d is another's, or has ended", run_id)
        return
    logger.info("Run %d begins, attempt %d", run_id, lease.run.attempts)
    try:
        with LeaseKeeper(place.database, lease) as keeper:
            _Attempt(place, lease, keeper).run()
    except LeaseLost as lost:
        logger.info("%s", lost)


class _Attempt:
    """One try at a run. Every method raises LeaseLost once the run is another's."""

    def __init__(self, place: WorkerContext, lease: Lease, keeper: LeaseKeeper) -> None:
        self._place = place
        self._lease = lease
        self._keeper = keeper
        self._deadline = time.monotonic() + _LONGEST

    def run(self) -> None:
        """Take the run to its end, or give it back."""
        run_id = self._lease.run.id
        room = None
        with ExitStack() as entered:
            try:
                room = entered.enter_context(run_directory(self._place.settings, run_id, self._wait))
                self._through(room)
            except LeaseLost:
                raise
            except (WorkerStopping, TrainerDied) as interrupted:
                self._let_go(interrupted)
                # Told only once anybody may claim the run: who hears of it may send word of the run at once.
                logger.warning("%s", interrupted)
                return
            except RunCancelled:
                self._end(RunState.CANCELLED)
                self._conclude(RunState.CANCELLED, room)
            except ThumbsError as error:
                self._end(RunState.FAILED, str(error))
                self._conclude(RunState.FAILED, room)

    def _through(self, room: RunDirectory) -> None:
        settings, database = self._place.settings, self._place.database
        python = require_training_python(settings)
        store = ArtifactStore.open(settings.store_address)
        self._lease = take_snapshot(database, settings, self._lease)
        job = build_job(database, settings, store, self._lease.run, room)
        with TrainerProcess(python, job, room.held) as trainer:
            done = self._follow(trainer)
            decision = decide(done.measured, GateBounds.of(settings))
            self._look()
            result = Result(done, decision, _card(decision, done.measured))
            state = publish(database, store, self._lease, room, result)
            self._conclude(state, room)
            if state is not RunState.REJECTED:
                self._hear_test(trainer, done.version)

    def _follow(self, trainer: TrainerProcess) -> Done:
        """Hear the trainer until it is done; raises what ends the attempt otherwise."""
        while True:
            said = trainer.next(_LOOK_EVERY)
            self._look()
            match said:
                case Trained(step, steps, epochs, samples_per_second):
                    self._keeper.note(RunProgress(step, steps, epochs, samples_per_second))
                case Evaluating(version):
                    logger.info("Run %d has trained %s, which is measured now", self._lease.run.id, version)
                    self._keeper.enter(RunState.EVALUATING)
                case Done():
                    return said
                case Failed(sentence):
                    raise TrainingFailed(sentence=sentence)
                case Exited(status):
                    raise TrainerDied(run_id=self._lease.run.id, status=status)

    def _conclude(self, state: RunState, room: RunDirectory | None) -> None:
        """Remove what the run leaves behind, once its row says that it has ended."""
        if room is not None:
            room.purge()
        logger.info("Run %d ended: %s", self._lease.run.id, state)

    def _hear_test(self, trainer: TrainerProcess, version: str) -> None:
        """Write down how a published model does on reviews that decide nothing; a run that waits is worth more."""
        database = self._place.database
        while not self._place.stopping() and time.monotonic() < self._deadline:
            match trainer.next(_LOOK_EVERY):
                case Tested(reviews, right):
                    with database.unit_of_work() as unit:
                        registry.record_test(unit, version, reviews, right)
                    logger.info("%s reads %d of %d other test reviews right", version, right, reviews)
                    return
                case Failed() | Exited():
                    return
            with database.reading() as unit:
                if runs.open_run(unit) is not None:
                    return

    def _look(self) -> None:
        """Raise what speaks against going on."""
        self._keeper.check()
        run_id = self._lease.run.id
        if self._keeper.cancel_asked:
            raise RunCancelled(run_id=run_id)
        if self._place.stopping():
            raise WorkerStopping(run_id=run_id)
        if time.monotonic() > self._deadline:
            raise RunTooLong(hours=round(_LONGEST / 3600))

    def _wait(self) -> None:
        """Wait a moment for what a former attempt left running."""
        self._look()
        time.sleep(_LOOK_EVERY)

    def _end(self, state: RunState, error: str | None = None) -> None:
        if error is not None:
            logger.warning("Run %d failed: %s", self._lease.run.id, error)
        with self._place.database.unit_of_work() as unit:
            runs.finish(unit, self._lease, state, error=error)

    def _let_go(self, why: WorkerStopping | TrainerDied) -> None:
        blame = None if isinstance(why, WorkerStopping) else str(why)
        with self._place.database.unit_of_work() as unit:
            runs.release(unit, self._lease, blame)


def _card(decision: Decision, measured: Measured) -> bytes | None:
    """The decision's chart; None where the worker runs in an environment without the library that draws."""
    try:
        from worker.gate.chart import draw_chart  # noqa: PLC0415 - matplotlib takes a second, and only this process needs it
    except ModuleNotFoundError as error:
        logger.warning("The decision has no chart: %s is not installed here", error.name)
        return None
    return draw_chart(decision, measured)
