"""Waits for a strike's moment, and kills."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from benchmarks.chaos.environment import ChaosEnvironment
from benchmarks.chaos.plan import Moment, Strike, Victim
from benchmarks.chaos.processes import Service, children, trainer_of
from benchmarks.chaos.records import Kill
from storage.db.states import RunState
from storage.training.runs import Run

# Seconds after which a run that has not ended counts as lost: three attempts, each after a lease that had to lapse.
LOST_AFTER: Final = 300.0
_LOOK_EVERY: Final = 0.1
# Seconds between two looks for what takes milliseconds: the first trace of a candidate in the store, and then the end.
LOOK_CLOSELY: Final = 0.002
# Looks at the store for one at the run, which takes longer.
_STORE_LOOKS: Final = 50


class Lost(Exception):
    """A run did not come to its end; the message says which."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds that an undisturbed run takes in this lane, from its asking, and that the last parts of it take.

    ``measuring`` is from the end of training, ``publishing`` from the candidate's first trace in the store.
    """

    whole: float
    measuring: float
    publishing: float


class Target:
    """A lane's worker and beat, and the runs that they carry out."""

    def __init__(self, home: ChaosEnvironment) -> None:
        self.worker = Service("worker", home.environment, home.folder)
        self.beat = Service("beat", home.environment, home.folder)
        self._home = home
        self._random = Random(home.folder.name)

    def wait(self, run_id: int, until: Callable[[Run], bool], every: float = _LOOK_EVERY) -> Run:
        """The run once ``until`` says so, or it has ended; keeps worker and beat running. Raises Lost.

        ``every`` is how many seconds pass between two looks.
        """
        patience = time.monotonic() + LOST_AFTER
        while True:
            run = self._home.run(run_id)
            if not run.open or until(run):
                return run
            if time.monotonic() > patience:
                raise Lost(f"run {run_id} is {run.state} after {LOST_AFTER:.0f} seconds, attempt {run.attempts}")
            self.worker.revive()
            self.beat.revive()
            time.sleep(every)

    def strike(self, strike: Strike, run_id: int, attempt: int, usual: Usual) -> Kill | None:
        """Kill as planned, in this attempt or a later one.

        None when the run ended before its moment, or before it had such a process.
        """
        run = self.wait(run_id, lambda run: run.attempts >= attempt)
        match strike.moment:
            case Moment.START:
                within = usual.whole
            case Moment.EVALUATING:
                run, within = self.wait(run_id, lambda run: run.state is RunState.EVALUATING), usual.measuring
            case Moment.PUBLISHING:
                run, within = self.wait_for_trace(run_id), usual.publishing
        if not run.open:
            return None
        time.sleep(strike.share * within)
        if strike.victim is Victim.TRAINER:
            self.wait(run_id, lambda _: trainer_of(self.worker.pid) is not None)
        state = self._home.run(run_id).state
        return Kill(strike.victim, strike.moment, run_id, state) if self._kill(strike.victim) else None

    def wait_for_trace(self, run_id: int) -> Run:
        """The run once something new lies in the store, or it has ended; raises Lost."""
        known = set(self._home.store.names())

        def appeared(_: Run) -> bool:
            for _look in range(_STORE_LOOKS):
                if set(self._home.store.names()) - known:
                    return True
                time.sleep(LOOK_CLOSELY)
            return False

        return self.wait(run_id, appeared, every=0)

    def stop(self) -> None:
        """End worker and beat."""
        self.beat.stop()
        self.worker.stop()

    def _kill(self, victim: Victim) -> bool:
        """Whether there was such a process to kill."""
        match victim:
            case Victim.WORKER | Victim.WORKER_AND_CHILDREN:
                self.worker.kill(group=victim is Victim.WORKER_AND_CHILDREN)
                return True
            case Victim.BEAT:
                self.beat.kill()
                return True
            case Victim.TRAINER:
                process = trainer_of(self.worker.pid)
            case Victim.WORKERS_CHILD:
                process = self._child()
        try:
            if process is not None:
                os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return process is not None

    def _child(self) -> int | None:
        """The worker's child that carries the run out, or any while none does."""
        found = children(self.worker.pid)
        busy = [child for child in found if children(child)]
        return self._random.choice(busy or found) if found else None
