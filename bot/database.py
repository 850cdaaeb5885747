"""The database off the event loop: one thread does all the bot's reading and writing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from storage.db.database import Database, UnitOfWork

Result = TypeVar("Result")


class AsyncDatabase:
    """Runs units of work in order on one thread, so that writers in this process never wait for each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage")

    async def write(self, work: Callable[[UnitOfWork], Result]) -> Result:
        """Run ``work`` in a unit of work; what it did is committed when this returns."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, work)

    async def read(self, work: Callable[[UnitOfWork], Result]) -> Result:
        """Run ``work`` on one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, work)

    def close(self) -> None:
        """Let what runs end, then close the database."""
        self._thread.shutdown()
        self._database.close()

    def _write(self, work: Callable[[UnitOfWork], Result]) -> Result:
        with self._database.unit_of_work() as unit:
            return work(unit)

    def _read(self, work: Callable[[UnitOfWork], Result]) -> Result:
        with self._database.reading() as unit:
            return work(unit)
