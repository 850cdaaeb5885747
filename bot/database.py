"""Gives access to the database without blocking the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.outages import Outage
from storage.db.database import Database, UnitOfWork
from storage.errors import DatabaseUnusable, StorageError

Result = TypeVar("Result")
# Errors that a read or write may raise if the database is locked, unreachable or broken.
DATABASE_ERRORS: Final = (SQLAlchemyError, StorageError)
# Temporary errors: the database is locked or unreachable, so any read or write would fail.
DATABASE_OUTAGES: Final = (OperationalError, InterfaceError, PoolTimeoutError, DatabaseUnusable)


class AsyncDatabase:
    """Runs units of work one after another on a single thread, so writers in this process never block each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outage = Outage("The database")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage")

    async def write(self, work: Callable[[UnitOfWork], Result]) -> Result:
        """Run ``work`` in a unit of work and return its result after the commit."""
        return await self._run(self._write, work)

    async def read(self, work: Callable[[UnitOfWork], Result]) -> Result:
        """Run ``work`` on one read-only snapshot and return its result."""
        return await self._run(self._read, work)

    def close(self) -> None:
        """Wait for running work to finish, then close the database."""
        self._thread.shutdown()
        self._database.close()

    async def _run(
        self, run: Callable[[Callable[[UnitOfWork], Result]], Result], work: Callable[[UnitOfWork], Result]
    ) -> Result:
        """Run ``work`` on the thread. Log an outage only once, so that callers can retry without logging it."""
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._thread, run, work)
        except DATABASE_OUTAGES as error:
            self._outage.failed(error)
            raise
        self._outage.succeeded()
        return result

    def _write(self, work: Callable[[UnitOfWork], Result]) -> Result:
        with self._database.unit_of_work() as unit:
            return work(unit)

    def _read(self, work: Callable[[UnitOfWork], Result]) -> Result:
        with self._database.reading() as unit:
            return work(unit)
