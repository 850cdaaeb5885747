"""Token buckets, which limit how much each chat can send at once and per minute."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

# Number of seconds in which an empty bucket fills up.
_FILL_SECONDS: Final = 60.0
# Maximum number of chats whose buckets are remembered. The chats that have been quiet the longest are forgotten.
MAX_CHATS: Final = 10_000


class Admission(Enum):
    """The outcome of an attempt to take a token from a chat's bucket.

    After FIRST_REFUSAL, all refusals are REFUSED until the chat's bucket is full again.
    """

    GRANTED = auto()
    FIRST_REFUSAL = auto()
    REFUSED = auto()


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    has_refused: bool = False


class TokenBuckets:
    """One bucket per chat, with a capacity of ``per_minute`` tokens and ``per_minute`` new tokens each minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = float(per_minute)
        self._clock = clock
        self._buckets: OrderedDict[int, _Bucket] = OrderedDict()

    def take(self, chat_id: int) -> Admission:
        """Take a token from the chat's bucket, if there is one, and return the outcome."""
        now = self._clock()
        bucket = self._buckets[chat_id] = self._filled(self._buckets.pop(chat_id, None), now)
        self._forget_quiet_chats(now)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return Admission.GRANTED
        is_first = not bucket.has_refused
        bucket.has_refused = True
        return Admission.FIRST_REFUSAL if is_first else Admission.REFUSED

    def __len__(self) -> int:
        """Return the number of chats with a bucket."""
        return len(self._buckets)

    def _filled(self, bucket: _Bucket | None, now: float) -> _Bucket:
        if bucket is not None:
            bucket.tokens += (now - bucket.filled_at) / _FILL_SECONDS * self._capacity
            bucket.filled_at = now
        return _Bucket(self._capacity, now) if bucket is None or bucket.tokens >= self._capacity else bucket

    def _forget_quiet_chats(self, now: float) -> None:
        """Delete the buckets that are full again, and the oldest buckets if there are too many."""
        while len(self._buckets) > MAX_CHATS or next(iter(self._buckets.values())).filled_at <= now - _FILL_SECONDS:
            self._buckets.popitem(last=False)
