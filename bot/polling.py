"""Runs background work at a fixed interval."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from storage.db.outages import DATABASE_OUTAGES

logger = logging.getLogger(__name__)


async def poll_every(
    seconds: float, work: Callable[[], Awaitable[object]], failure: str, retry_after: float | None = None
) -> None:
    """Run ``work`` immediately and then every ``seconds`` until cancelled.

    If ``work`` raises, log ``failure`` with the traceback, and run it again after ``retry_after`` seconds or, if that
    is None, after the usual interval. Database outages are not logged here, because ``AsyncDatabase`` logs them.
    """
    while True:
        pause = seconds
        try:
            await work()
        # An error that ended the loop would silently disable this part of the bot until the next restart.
        except Exception as error:
            if not isinstance(error, DATABASE_OUTAGES):
                logger.exception(failure)
            pause = seconds if retry_after is None else retry_after
        await asyncio.sleep(pause)
