"""Starts a lane's worker and beat, and kills processes at the planned moments."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from benchmarks.chaos.environment import ChaosEnvironment
from benchmarks.chaos.plan import Moment, PlannedKill, Victim
from benchmarks.chaos.processes import Service, child_processes, find_trainer
from benchmarks.chaos.records import Kill
from storage.db.states import RunState
from storage.training.runs import Run

# Seconds after which an unfinished run counts as lost. This is enough for three attempts that each end with an expired
# lease.
RUN_TIMEOUT: Final = 300.0
_POLL_INTERVAL: Final = 0.1
# Seconds between polls for short events, such as a candidate's appearance in the store or the end of the run.
SHORT_POLL_INTERVAL: Final = 0.002
# How many times to poll the store for each time that the run is polled, because polling the run takes longer.
_STORE_POLLS: Final = 50


class RunLost(Exception):
    """Raised if a run does not end in time. The message names the run."""


@dataclass(frozen=True, slots=True)
class RunTimings:
    """The durations of an undisturbed run in this lane and of its last two parts, in seconds.

    ``total`` is measured from the request to the end of the run. ``evaluating`` starts at the end of training.
    ``publishing`` starts when the candidate appears in the store.
    """

    total: float
    evaluating: float
    publishing: float


class LaneProcesses:
    """A lane's worker and beat, which can be killed during training runs."""

    def __init__(self, environment: ChaosEnvironment) -> None:
        self.worker = Service.thumbs("worker", environment.variables, environment.folder)
        self.beat = Service.thumbs("beat", environment.variables, environment.folder)
        self._environment = environment
        self._random = Random(environment.folder.name)

    def wait(self, run_id: int, until: Callable[[Run], bool], every: float = _POLL_INTERVAL) -> Run:
        """Wait until the run satisfies ``until`` or has ended, and return the run.

        In the meantime, restart the worker and the beat whenever they exit.

        ``every`` is the number of seconds between polls. Raise RunLost if the run takes too long.
        """
        deadline = time.monotonic() + RUN_TIMEOUT
        while True:
            run = self._environment.run(run_id)
            if not run.open or until(run):
                return run
            if time.monotonic() > deadline:
                raise RunLost(f"run {run_id} is {run.state} after {RUN_TIMEOUT:.0f} seconds, attempt {run.attempts}")
            self.worker.restart_if_ended()
            self.beat.restart_if_ended()
            time.sleep(every)

    def kill_as_planned(self, planned: PlannedKill, run_id: int, attempt: int, timings: RunTimings) -> Kill | None:
        """Carry out a planned kill, during this attempt or a later one.

        Return None if the run ended before the planned moment or before the victim existed.
        """
        run = self.wait(run_id, lambda run: run.attempts >= attempt)
        match planned.moment:
            case Moment.START:
                within = timings.total
            case Moment.EVALUATING:
                run, within = self.wait(run_id, lambda run: run.state is RunState.EVALUATING), timings.evaluating
            case Moment.PUBLISHING:
                run, within = self.wait_for_candidate(run_id), timings.publishing
        if not run.open:
            return None
        time.sleep(planned.share * within)
        if planned.victim is Victim.TRAINER:
            self.wait(run_id, lambda _: find_trainer(self.worker.pid) is not None)
        state = self._environment.run(run_id).state
        return Kill(planned.victim, planned.moment, run_id, state) if self._kill(planned.victim) else None

    def wait_for_candidate(self, run_id: int) -> Run:
        """Wait until a candidate appears in the store or the run ends, and return the run. Raise RunLost on timeout."""
        known = set(self._environment.store.names())

        def appeared(_: Run) -> bool:
            for _poll in range(_STORE_POLLS):
                if set(self._environment.store.names()) - known:
                    return True
                time.sleep(SHORT_POLL_INTERVAL)
            return False

        return self.wait(run_id, appeared, every=0)

    def stop(self) -> None:
        """Stop the worker and the beat."""
        self.beat.stop()
        self.worker.stop()

    def _kill(self, victim: Victim) -> bool:
        """Kill a victim, and return whether it existed."""
        match victim:
            case Victim.WORKER | Victim.WORKER_AND_CHILDREN:
                self.worker.kill(group=victim is Victim.WORKER_AND_CHILDREN)
                return True
            case Victim.BEAT:
                self.beat.kill()
                return True
            case Victim.TRAINER:
                process = find_trainer(self.worker.pid)
            case Victim.WORKERS_CHILD:
                process = self._child_with_run()
        try:
            if process is not None:
                os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return process is not None

    def _child_with_run(self) -> int | None:
        """Return the worker's child process that is executing the run, or any of its children if none is."""
        found = child_processes(self.worker.pid)
        busy = [child for child in found if child_processes(child)]
        return self._random.choice(busy or found) if found else None
