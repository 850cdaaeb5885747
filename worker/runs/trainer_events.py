"""Handles the events from a trainer process: progress, measurements, and the test that follows publication."""

import logging

from storage.db.database import Database
from storage.db.states import RunPhase, RunState
from storage.models import registry
from storage.training import runs
from storage.training.runs import PhaseProgress, RunProgress
from worker.errors import TrainerDied, TrainingFailed
from worker.runs.lease_keeper import LeaseKeeper
from worker.runs.stop_conditions import POLL_INTERVAL, StopConditions
from worker.trainer.process import Exited, TrainerProcess
from worker.trainer.protocol import Done, Evaluating, Failed, Phase, Progress, Tested

logger = logging.getLogger(__name__)


def wait_for_measurements(trainer: TrainerProcess, keeper: LeaseKeeper, stop: StopConditions) -> Done:
    """Record the trainer's progress until it has evaluated the candidate.

    Raise TrainingFailed or TrainerDied if the trainer fails or dies, and any error that ``StopConditions.check``
    raises.
    """
    while True:
        event = trainer.next_event(POLL_INTERVAL)
        stop.check()
        match event:
            case Progress(step, steps, epochs, samples_per_second):
                stop.record_step(step)
                keeper.record_progress(RunProgress(step, steps, epochs, samples_per_second))
                keeper.record_phase(PhaseProgress(RunPhase.TRAINING, step, steps))
            case Phase(phase, done, total):
                keeper.record_phase(PhaseProgress(RunPhase(phase), done, total or None))
            case Evaluating(version):
                logger.info("Run %d has trained %s and is evaluating it", trainer.run_id, version)
                keeper.set_state(RunState.EVALUATING)
            case Done():
                return event
            case Failed(sentence):
                raise TrainingFailed(sentence=sentence)
            case Exited(status):
                raise TrainerDied(status=status)


def record_test_result(trainer: TrainerProcess, database: Database, version: str, stop: StopConditions) -> None:
    """Record a published model's result on the official test reviews. No decision depends on the result.

    Give up as soon as another run is waiting, the worker is stopping or the time limit has passed.
    """
    while not stop.out_of_time():
        match trainer.next_event(POLL_INTERVAL):
            case Tested(reviews, right):
                with database.unit_of_work() as unit:
                    registry.record_test(unit, version, reviews, right)
                logger.info("%s classifies %d of %d other test reviews correctly", version, right, reviews)
                return
            case Failed() | Exited():
                return
        with database.reading() as unit:
            if runs.open_run(unit) is not None:
                return
