"""Gives access to the database without blocking the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from core.outages import Outage
from storage.db.database import Database, UnitOfWork
from storage.db.outages import DATABASE_OUTAGES

Result = TypeVar("Result")


class AsyncDatabase:
    """Runs units of work one after another on a single thread, so writers in this process never block each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outage = Outage("The database")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage")
        self._urgent: deque[Callable[[], None]] = deque()
        self._others: deque[Callable[[], None]] = deque()

    async def write(self, work: Callable[[UnitOfWork], Result], *, urgent: bool = False) -> Result:
        """Run ``work`` in a unit of work and return its result after the commit. ``urgent`` work skips the queue."""
        return await self._run(partial(self._write, work), urgent)

    async def read(self, work: Callable[[UnitOfWork], Result]) -> Result:
        """Run ``work`` on one read-only snapshot and return its result."""
        return await self._run(partial(self._read, work), urgent=False)

    def close(self) -> None:
        """Wait for running work to finish, then close the database."""
        self._thread.shutdown()
        self._database.close()

    async def _run(self, work: Callable[[], Result], urgent: bool) -> Result:
        """Run ``work`` on the thread. Log an outage only once, so that callers can retry without logging it."""
        outcome: Future[Result] = Future()
        (self._urgent if urgent else self._others).append(partial(_complete, outcome, work))
        self._thread.submit(self._run_next)
        try:
            result = await asyncio.wrap_future(outcome)
        except DATABASE_OUTAGES as error:
            self._outage.failed(error)
            raise
        self._outage.succeeded()
        return result

    def _run_next(self) -> None:
        """Run the next function in the queue. The thread calls this once for each queued function."""
        (self._urgent or self._others).popleft()()

    def _write(self, work: Callable[[UnitOfWork], Result]) -> Result:
        with self._database.unit_of_work() as unit:
            return work(unit)

    def _read(self, work: Callable[[UnitOfWork], Result]) -> Result:
        with self._database.reading() as unit:
            return work(unit)


def _complete(outcome: "Future[Result]", work: Callable[[], Result]) -> None:
    """Run ``work`` unless the caller cancelled it, and store its result or error in ``outcome``."""
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        outcome.set_result(work())
    # Like an executor, pass every error on to the caller.
    except BaseException as error:
        outcome.set_exception(error)
