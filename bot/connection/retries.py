"""Retries calls to Telegram after temporary failures: lost connections, server errors and exceeded rate limits."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError

from core.outages import Outage

Result = TypeVar("Result")
# Errors for calls that Telegram refuses permanently.
REFUSALS: Final = (BadRequest, Forbidden, InvalidToken)
# Seconds to wait before the second attempt, unless Telegram asks for a longer pause. The pause doubles with each
# attempt, up to the maximum.
_FIRST_PAUSE, _MAX_PAUSE = 1.0, 10.0


async def until_answered(
    call: Callable[[], Awaitable[Result]], outage: Outage, refusals: tuple[type[TelegramError], ...] = REFUSALS
) -> Result:
    """Repeat the call until it succeeds, and return its result. Raise errors in ``refusals`` immediately."""
    pause = _FIRST_PAUSE
    while True:
        try:
            result = await call()
        except refusals:
            raise
        except TelegramError as error:
            outage.failed(error)
            await asyncio.sleep(_requested_pause(error) or pause)
            pause = min(2 * pause, _MAX_PAUSE)
        else:
            outage.succeeded()
            return result


def _requested_pause(error: TelegramError) -> float | None:
    if not isinstance(error, RetryAfter):
        return None
    pause = error.retry_after
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
