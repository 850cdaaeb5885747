"""Renews a run's lease in the background, records the run's progress and notices requests to cancel it."""

import logging
import threading
from types import TracebackType
from typing import Final, Self

from storage.db.database import Database
from storage.db.outages import DATABASE_ERRORS, DATABASE_OUTAGES
from storage.db.states import RunState
from storage.errors import LeaseLost
from storage.training import runs
from storage.training.runs import Lease, PhaseProgress, RunProgress
from worker.outages import DATABASE

logger = logging.getLogger(__name__)

# Seconds between two renewals. A lease lasts thirty times as long.
_RENEW_INTERVAL: Final = 1.0
# Seconds to wait at the end for a renewal in progress, which may itself be waiting for another process's write.
_LAST_RENEWAL_TIMEOUT: Final = 40.0


class LeaseKeeper:
    """Renews a lease from a background thread while the ``with`` block runs, even if the main thread is blocked."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._cancelled = threading.Event()
        self._progress: RunProgress | None = None
        self._phase: PhaseProgress | None = None
        self._state: RunState | None = None
        self._thread = threading.Thread(target=self._renew_until_ended, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join(_LAST_RENEWAL_TIMEOUT)

    @property
    def cancel_requested(self) -> bool:
        """Whether someone has asked to cancel the run."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise LeaseLost if another worker has taken over the run or the run has ended."""
        if self._lost.is_set():
            raise LeaseLost(run_id=self._lease.run.id)

    def record_progress(self, progress: RunProgress) -> None:
        """Store the training progress when the lease is next renewed."""
        self._progress = progress

    def record_phase(self, phase: PhaseProgress) -> None:
        """Store the trainer's phase when the lease is next renewed."""
        self._phase = phase

    def set_state(self, state: RunState) -> None:
        """Store the run's new state when the lease is next renewed."""
        self._state = state

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(_RENEW_INTERVAL):
            try:
                self._renew()
            except LeaseLost:
                self._lost.set()
                return
            # Even if the lease expires in the meantime, the run stays ours until another worker claims it.
            except DATABASE_OUTAGES as error:
                DATABASE.failed(error)
            except DATABASE_ERRORS:
                logger.exception("Cannot renew the lease on run %d; will retry", self._lease.run.id)
            else:
                DATABASE.succeeded()

    def _renew(self) -> None:
        progress, phase, state = self._progress, self._phase, self._state
        with self._database.unit_of_work() as unit:
            cancel_requested = runs.renew(unit, self._lease)
            if progress is not None:
                runs.record_progress(unit, self._lease, progress)
            if phase is not None:
                runs.record_phase(unit, self._lease, phase)
            if state is not None:
                runs.set_state(unit, self._lease, state)
        if cancel_requested:
            self._cancelled.set()
        # Keep values that the other thread has set since this method started.
        if self._progress is progress:
            self._progress = None
        if self._phase is phase:
            self._phase = None
        if self._state is state:
            self._state = None
