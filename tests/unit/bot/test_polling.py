"""Background work keeps running even if it raises errors."""

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from bot.polling import poll_every


class Work:
    """Work that fails the first ``failures`` times. A test can wait for a given number of calls."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or RuntimeError("the test asked for a failure")
        self.calls: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self) -> None:
        self.calls.put_nowait(None)
        if self.failures:
            self.failures -= 1
            raise self.error

    async def wait_for_calls(self, number: int) -> None:
        async with asyncio.timeout(20):
            for _ in range(number):
                await self.calls.get()


async def cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_runs_at_once_and_then_again() -> None:
    work = Work()
    task = asyncio.create_task(poll_every(0.01, work, "Failed"))
    await work.wait_for_calls(3)
    await cancel(task)


async def test_a_failure_is_logged_and_the_work_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(failures=2)
    task = asyncio.create_task(poll_every(0.01, work, "Could not read the texts"))
    await work.wait_for_calls(4)
    await cancel(task)
    records = [record for record in caplog.records if record.message == "Could not read the texts"]
    assert len(records) == 2
    assert all(record.exc_info for record in records)


async def test_the_pause_after_a_failure_may_differ() -> None:
    work = Work(failures=1)
    task = asyncio.create_task(poll_every(600, work, "Failed", retry_after=0.01))
    await work.wait_for_calls(2)
    await cancel(task)


async def test_an_outage_of_the_database_is_not_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(failures=3, error=OperationalError("SELECT", {}, Exception("connection refused")))
    task = asyncio.create_task(poll_every(0.01, work, "Could not read the texts"))
    await work.wait_for_calls(5)
    await cancel(task)
    assert caplog.records == []
