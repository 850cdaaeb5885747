"""Updates that arrive while the database is unavailable are stored later."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from sqlalchemy.exc import DataError, OperationalError

from bot.database import AsyncDatabase
from bot.receiving import inbox
from storage.chat import inbox as stored_inbox
from storage.db.database import Database, UnitOfWork
from tests.inbox_parts import (
    BOT_ID,
    Handler,
    make_failures,
    make_inbox,
)
from tests.raw_updates import update


async def test_an_outage_of_the_database_is_not_counted_as_an_attempt(each_store: AsyncDatabase) -> None:
    await each_store.write(lambda unit: stored_inbox.receive(unit, BOT_ID, 1, 7, update(1)))
    failures = make_failures(each_store)
    for _ in range(stored_inbox.MAX_ATTEMPTS):
        await failures.record(
            [1], OperationalError("UPDATE updates", {}, Exception("the server closed the connection"))
        )
    (stored,) = await each_store.read(lambda unit: stored_inbox.pending_updates(unit, BOT_ID))
    assert stored.attempts == 0


class FailingOnce:
    """A database whose first write raises an error."""

    def __init__(self, database: Database, error: Exception) -> None:
        self.database, self.errors = database, [error]

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        if self.errors:
            raise self.errors.pop()
        with self.database.unit_of_work() as unit:
            yield unit


async def test_an_update_that_arrives_during_an_outage_is_stored_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "_STORE_RETRY_SECONDS", 0.01)
    refused = OperationalError("INSERT", {}, Exception("connection refused\nIs the server running?"))
    store = AsyncDatabase(cast("Database", FailingOnce(database, refused)))
    handler = Handler(store)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    assert await handler.next() == 1
    await box.stop()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The database cannot be used; will retry: connection refused",
        "The database can be used again, after 0 seconds",
    ]
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_update_that_arrives_while_the_disk_is_full_is_stored_later(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "_STORE_RETRY_SECONDS", 0.01)
    store = AsyncDatabase(database)
    pages = await store.write(lambda unit: unit.connection().exec_driver_sql("PRAGMA page_count").scalar())
    await store.write(lambda unit: unit.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}"))
    handler = Handler(store)
    box = make_inbox(store, handler)
    received = asyncio.create_task(box.receive(update(1, text="A fine film. " * 5000)))
    async with asyncio.timeout(20):
        while not caplog.records:
            await asyncio.sleep(0)
    assert not received.done()
    await store.write(lambda unit: unit.connection().exec_driver_sql("PRAGMA max_page_count = 1000000"))
    await received
    assert await handler.next() == 1
    await box.stop()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The database cannot be used; will retry: database or disk is full",
        "The database can be used again, after 0 seconds",
    ]


async def test_what_the_database_refuses_is_dropped(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    refused = DataError("INSERT", {}, Exception(f"out of range: {update(1)}"))
    store = AsyncDatabase(cast("Database", FailingOnce(database, refused)))
    handler = Handler(store)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    await box.receive(update(2))
    assert await handler.next() == 2
    await box.stop()
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.message == "Dropped an update that cannot be stored: the database refuses it"
