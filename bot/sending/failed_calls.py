"""Interprets failed calls to Telegram: whether Telegram may have executed them, and when to try again."""

from datetime import timedelta
from http import HTTPStatus
from typing import Final

import httpx
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError, TimedOut

# The pause before the second attempt, in seconds. The pause doubles with each attempt, up to the maximum.
_FIRST_PAUSE, _MAX_PAUSE = 1.0, 300.0
# Telegram's message for a gateway timeout. The server behind the gateway may still execute the call.
_GATEWAY_TIMEOUT: Final = HTTPStatus.GATEWAY_TIMEOUT.phrase
# Errors that are raised before any byte of the request reaches Telegram.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def request_left(error: TelegramError) -> bool:
    """Return whether the request was sent to Telegram. If it wasn't, this machine may be offline for a long time."""
    return not isinstance(error.__cause__, _NEVER_LEFT)


def is_outage(error: TelegramError) -> bool:
    """Return whether the problem is with Telegram itself rather than with this call."""
    return isinstance(error, NetworkError) and not isinstance(error, BadRequest)


def may_have_arrived(error: TelegramError) -> bool:
    """Return whether Telegram may have executed a call that failed.

    Telegram may have executed the call if the connection broke after the request was sent, or if a gateway timed out.
    After any other response, even a server error, the call was not executed.
    """
    if isinstance(error, TimedOut):
        return request_left(error)
    if not isinstance(error, NetworkError):
        return False
    broken = isinstance(error.__cause__, httpx.HTTPError) and request_left(error)
    return broken or str(error).startswith(_GATEWAY_TIMEOUT)


def seconds_to_wait(error: TelegramError, attempt: int) -> float:
    """Return the seconds until the next attempt: Telegram's figure if it gives one, or an exponential backoff."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
    return float(min(_FIRST_PAUSE * 2 ** (attempt - 1), _MAX_PAUSE))
