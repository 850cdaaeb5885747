"""The conditions under which a run in progress must stop."""

import time
from collections.abc import Callable
from typing import Final

from broker.queues import SOFT_LIMIT
from storage.training.runs import Run
from worker.errors import RunCancelled, RunPaused, RunTooLong, WorkerStopping
from worker.runs.lease_keeper import LeaseKeeper

# Seconds between checks on whether the run may continue.
POLL_INTERVAL: Final = 0.5
# The time limit for an attempt: a minute before Celery's own limit, so that the attempt ends with a readable error.
_MAX_SECONDS: Final = SOFT_LIMIT - 60


class StopConditions:
    """Checks one attempt for a lost lease, a cancellation, a stopping worker or an exceeded time limit."""

    def __init__(
        self,
        run: Run,
        keeper: LeaseKeeper,
        stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run_id = run.id
        self._last_step = run.step
        self._progressed = False
        self._keeper = keeper
        self._stopping = stopping
        self._clock = clock
        self._deadline = clock() + _MAX_SECONDS

    def check(self) -> None:
        """Raise LeaseLost, RunCancelled, WorkerStopping, RunPaused or RunTooLong if the run must stop.

        On a slow machine, training a large network can take longer than one attempt is allowed to. If this attempt has
        made more progress than earlier ones, the run is paused, and the next attempt continues it.
        """
        self._keeper.check()
        if self._keeper.cancel_requested:
            raise RunCancelled(run_id=self._run_id)
        if self._stopping():
            raise WorkerStopping(run_id=self._run_id)
        if self._past_deadline():
            hours = round(_MAX_SECONDS / 3600)
            raise RunPaused(run_id=self._run_id, hours=hours) if self._progressed else RunTooLong(hours=hours)

    def record_step(self, step: int) -> None:
        """Record that training has reached ``step``."""
        self._progressed = self._progressed or step > self._last_step

    def pause(self) -> None:
        """Check, then sleep until the next check is due."""
        self.check()
        time.sleep(POLL_INTERVAL)

    def out_of_time(self) -> bool:
        """Return whether the worker is stopping or the time limit has passed."""
        return self._stopping() or self._past_deadline()

    def _past_deadline(self) -> bool:
        return self._clock() > self._deadline
