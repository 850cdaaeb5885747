"""Taps on buttons that the bot has not answered yet."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from playground.state.ids import CALLBACK, Counters
from playground.wire import bad_request

LIFETIME_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Tap:
    """Who tapped, where, and when (unix time)."""

    id: str
    user_id: int
    chat_id: int
    at: float


class Callbacks:
    """Open taps by id. An id answers once and within LIFETIME_SECONDS; a restart of the server ends all of them."""

    def __init__(self, counters: Counters, clock: Callable[[], float] = time.time) -> None:
        self._counters = counters
        self._clock = clock
        self._open: dict[str, Tap] = {}

    def begin(self, user_id: int, chat_id: int) -> Tap:
        """Note a new tap."""
        tap = Tap(str(self._counters.next(CALLBACK)), user_id, chat_id, self._clock())
        self._open[tap.id] = tap
        return tap

    def take(self, callback_id: str) -> Tap:
        """The tap that is being answered; raises ApiError when it is unknown, answered or too old."""
        tap = self._open.pop(callback_id, None)
        if tap is None or self._clock() - tap.at > LIFETIME_SECONDS:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        return tap

    def clear(self) -> None:
        """End all taps."""
        self._open.clear()
