"""Keeps the lease of a run while it is carried out, writes down how far it is, and hears of a wish to cancel it."""

import logging
import threading
from types import TracebackType
from typing import Final, Self

from sqlalchemy.exc import SQLAlchemyError

from storage.db.database import Database
from storage.db.states import RunState
from storage.errors import LeaseLost
from storage.training.runs import Lease, RunProgress, record_progress, renew, set_state

logger = logging.getLogger(__name__)

# Seconds between two renewals; a lease lasts thirty times as long.
_EVERY: Final = 1.0
# Seconds that the end waits for a renewal on its way, which may itself wait for another process's write.
_LAST_RENEWAL: Final = 40.0


class LeaseKeeper:
    """Renews a lease on a thread of its own for as long as the block runs, whatever the block waits for."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._cancelled = threading.Event()
        self._progress: RunProgress | None = None
        self._state: RunState | None = None
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join(_LAST_RENEWAL)

    @property
    def cancel_asked(self) -> bool:
        """Whether somebody wants the run to end."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise LeaseLost when the run is another's by now."""
        if self._lost.is_set():
            raise LeaseLost(run_id=self._lease.run.id)

    def note(self, progress: RunProgress) -> None:
        """Have the training's progress written down with the next renewal."""
        self._progress = progress

    def enter(self, state: RunState) -> None:
        """Have the run's state changed with the next renewal."""
        self._state = state

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            try:
                self._renew()
            except LeaseLost:
                self._lost.set()
                return
            except SQLAlchemyError as error:
                # A lease that lapses meanwhile is still this worker's until another claims the run.
                logger.warning("The lease of run %d waits for the database: %s", self._lease.run.id, error)

    def _renew(self) -> None:
        progress, state = self._progress, self._state
        with self._database.unit_of_work() as unit:
            asked = renew(unit, self._lease)
            if progress is not None:
                record_progress(unit, self._lease, progress)
            if state is not None:
                set_state(unit, self._lease, state)
        if asked:
            self._cancelled.set()
        if self._progress is progress:
            self._progress = None
        if self._state is state:
            self._state = None
