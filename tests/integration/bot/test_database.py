"""Units of work run one at a time: urgent ones first, and the others in the order in which they were queued."""

import asyncio
import threading

import pytest

from bot.database import AsyncDatabase
from storage.db.database import Database


async def test_urgent_work_does_not_queue(database: Database) -> None:
    store, blocked, order = AsyncDatabase(database), threading.Event(), list[str]()
    tasks = [asyncio.create_task(store.write(lambda _: blocked.wait(20)))]
    await asyncio.sleep(0)
    for name in ("first", "second"):
        tasks.append(asyncio.create_task(store.write(lambda _, name=name: order.append(name))))  # type: ignore[misc]
    tasks.append(asyncio.create_task(store.write(lambda _: order.append("urgent"), urgent=True)))
    await asyncio.sleep(0)
    blocked.set()
    await asyncio.gather(*tasks)
    assert order == ["urgent", "first", "second"]


async def test_an_error_reaches_the_caller_and_later_work_runs(database: Database) -> None:
    store = AsyncDatabase(database)

    def fail(_: object) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(fail)
    assert await store.read(lambda _: 3) == 3


async def test_work_whose_caller_was_cancelled_does_not_run(database: Database) -> None:
    store, blocked, ran = AsyncDatabase(database), threading.Event(), list[int]()
    first = asyncio.create_task(store.write(lambda _: blocked.wait(20)))
    await asyncio.sleep(0)
    cancelled = asyncio.create_task(store.write(lambda _: ran.append(1)))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.sleep(0)
    blocked.set()
    await first
    await store.read(lambda _: None)
    assert ran == []
