"""The conditions under which a run in progress must stop."""

import time
from collections.abc import Callable
from typing import Final

from broker.queues import SOFT_LIMIT
from worker.errors import RunCancelled, RunTooLong, WorkerStopping
from worker.runs.lease_keeper import LeaseKeeper

# Seconds between checks on whether the run may continue.
POLL_INTERVAL: Final = 0.5
# The time limit for a run: a minute before Celery's own limit, so that the run fails with a readable error.
_MAX_SECONDS: Final = SOFT_LIMIT - 60


class StopConditions:
    """Checks one attempt for a lost lease, a cancellation, a stopping worker or an exceeded time limit."""

    def __init__(self, run_id: int, keeper: LeaseKeeper, stopping: Callable[[], bool]) -> None:
        self._run_id = run_id
        self._keeper = keeper
        self._stopping = stopping
        self._deadline = time.monotonic() + _MAX_SECONDS

    def check(self) -> None:
        """Raise LeaseLost, RunCancelled, WorkerStopping or RunTooLong if the run must stop."""
        self._keeper.check()
        if self._keeper.cancel_requested:
            raise RunCancelled(run_id=self._run_id)
        if self._stopping():
            raise WorkerStopping(run_id=self._run_id)
        if self._past_deadline():
            raise RunTooLong(hours=round(_MAX_SECONDS / 3600))

    def pause(self) -> None:
        """Check, then sleep until the next check is due."""
        self.check()
        time.sleep(POLL_INTERVAL)

    def out_of_time(self) -> bool:
        """Return whether the worker is stopping or the time limit has passed."""
        return self._stopping() or self._past_deadline()

    def _past_deadline(self) -> bool:
        return time.monotonic() > self._deadline
