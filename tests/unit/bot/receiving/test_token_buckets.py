"""Token buckets admit a burst, block a flood, and forget quiet chats."""

import pytest

from bot.receiving import token_buckets
from bot.receiving.token_buckets import Admission, TokenBuckets

GRANTED, FIRST, REFUSED = Admission.GRANTED, Admission.FIRST_REFUSAL, Admission.REFUSED


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_granted_and_what_follows_is_refused_with_one_first_refusal(clock: Clock) -> None:
    buckets = TokenBuckets(30, clock)
    assert [buckets.take(7) for _ in range(33)] == [GRANTED] * 30 + [FIRST, REFUSED, REFUSED]
    assert buckets.take(8) is GRANTED


def test_tokens_come_back_and_the_next_first_refusal_needs_a_full_bucket(clock: Clock) -> None:
    buckets = TokenBuckets(30, clock)
    for _ in range(31):
        buckets.take(7)
    clock.now += 2
    assert [buckets.take(7) for _ in range(2)] == [GRANTED, REFUSED]
    clock.now += 60
    assert [buckets.take(7) for _ in range(31)] == [GRANTED] * 30 + [FIRST]


def test_quiet_chats_are_forgotten_and_the_number_of_chats_is_bounded(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = TokenBuckets(30, clock)
    for chat_id in range(10):
        buckets.take(chat_id)
    clock.now += 60
    buckets.take(99)
    assert len(buckets) == 1
    monkeypatch.setattr(token_buckets, "MAX_CHATS", 5)
    for chat_id in range(10):
        buckets.take(chat_id)
    assert len(buckets) == 5
