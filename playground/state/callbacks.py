"""Button taps that the bot has not answered yet."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from playground.state.ids import CALLBACK, Counters
from playground.wire import bad_request

LIFETIME_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap: who tapped, in which chat, and when (in Unix seconds)."""

    id: str
    user_id: int
    chat_id: int
    tapped_at: float


class Callbacks:
    """Unanswered taps, by id. A tap can be answered once, within LIFETIME_SECONDS. Taps do not survive a restart."""

    def __init__(self, counters: Counters, clock: Callable[[], float] = time.time) -> None:
        self._counters = counters
        self._clock = clock
        self._open: dict[str, Tap] = {}

    def add(self, user_id: int, chat_id: int) -> Tap:
        """Record a new tap."""
        tap = Tap(str(self._counters.next(CALLBACK)), user_id, chat_id, self._clock())
        self._open[tap.id] = tap
        return tap

    def pop(self, callback_id: str) -> Tap:
        """Remove and return the tap to answer, or raise ApiError if the tap is unknown, answered or too old."""
        tap = self._open.pop(callback_id, None)
        if tap is None or self._clock() - tap.tapped_at > LIFETIME_SECONDS:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        return tap

    def clear(self) -> None:
        """Forget all taps."""
        self._open.clear()
