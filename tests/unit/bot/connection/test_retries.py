"""After a temporary failure, a call is retried after the pause that Telegram asks for, or after ever longer pauses."""

import asyncio

import pytest
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.connection.retries import until_answered
from core.outages import Outage

PASSING = [TimedOut(), NetworkError("Bad Gateway"), RetryAfter(7), *[TimedOut()] * 5, TelegramError("Invalid response")]


async def test_the_pauses_grow_and_the_log_has_a_line_at_each_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures, pauses = list(PASSING), []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def call() -> str:
        if failures:
            raise failures.pop(0)
        return "answer"

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert await until_answered(call, Outage("Telegram")) == "answer"
    assert pauses == [1, 2, 7, 8, 10, 10, 10, 10, 10]
    assert [record.getMessage() for record in caplog.records] == [
        "Telegram cannot be used; will retry: Timed out",
        "Telegram can be used again, after 0 seconds",
    ]


@pytest.mark.parametrize("refusal", [BadRequest("no"), Forbidden("no"), InvalidToken("no")])
async def test_a_refusal_is_raised(refusal: TelegramError) -> None:
    async def call() -> None:
        raise refusal

    with pytest.raises(type(refusal)):
        await until_answered(call, Outage("Telegram"))
