"""Long polling passes on every update unchanged, and confirms updates only after they are stored."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from bot_api_server import TOKEN, BotApiServer, running_server
from pydantic import SecretStr
from telegram.error import InvalidToken

from bot.connection import retries
from bot.connection.contact import TelegramContact
from bot.ptb_application import build_application
from bot.receiving import long_polling
from bot.receiving.inbox import Inbox
from bot.receiving.long_polling import LongPolling
from core.settings import Settings

KINDS = ["message"]


class Received:
    """An inbox that lets a test read the received updates. Only the first ``permits`` updates count as stored."""

    def __init__(self, permits: int = 1_000) -> None:
        self.payloads: asyncio.Queue[str] = asyncio.Queue()
        self.permits = asyncio.Semaphore(permits)

    async def receive(self, payload: str) -> None:
        self.payloads.put_nowait(payload)
        await self.permits.acquire()

    async def next(self) -> Any:
        return json.loads(await asyncio.wait_for(self.payloads.get(), 20))


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with running_server() as running:
        yield running


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_polling, "_IDLE_PAUSE", 0.01)
    for name in ("_FIRST_PAUSE", "_MAX_PAUSE"):
        monkeypatch.setattr(retries, name, 0.01)


@asynccontextmanager
async def polling(server: BotApiServer, received: Received) -> AsyncIterator["asyncio.Task[None]"]:
    settings = Settings(telegram_api_url=server.url, telegram_token=SecretStr(TOKEN), _env_file=None)
    async with build_application(settings) as application:
        receiver = LongPolling(application.bot, cast("Inbox", received), KINDS, TelegramContact())
        task = asyncio.create_task(receiver.run())
        yield task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await receiver.confirm()


async def wait_for_poll_from(server: BotApiServer, offset: int) -> None:
    def found(state: BotApiServer) -> bool:
        return any(poll.get("offset") == str(offset) for poll in state.polls())

    await asyncio.to_thread(server.wait_for, found)


async def test_every_update_is_passed_on_as_it_came(server: BotApiServer) -> None:
    updates = [
        {"update_id": 1, "message": {"poll": {"options": []}, "text": "A fine play 👍"}},
        {"update_id": 2, "unknown": [1, None, 0.5, "\ud800"]},
        {"update_id": "x"},
        {"update_id": 4},
    ]
    for position, update in enumerate(updates, 1):
        server.send(position, json.dumps(update))
    received = Received()
    async with polling(server, received):
        assert [await received.next() for _ in updates] == updates
        await wait_for_poll_from(server, 5)
    assert "deleteWebhook" not in [method for method, _ in server.calls]
    assert json.loads(server.polls()[0]["allowed_updates"]) == KINDS


@pytest.mark.parametrize(
    "update",
    ["7", "null", '{"update_id": ' + "9" * 5000 + "}", '{"update_id": 1e999}', '{"message": NaN}'],
    ids=["number", "null", "digits", "infinite", "nan"],
)
async def test_a_strange_update_does_not_hide_the_next_one(server: BotApiServer, update: str) -> None:
    server.send(1, update)
    server.send(2, '{"update_id": 2}')
    received = Received()
    async with polling(server, received):
        await received.payloads.get()
        assert await received.next() == {"update_id": 2}
        await wait_for_poll_from(server, 3)


async def test_an_update_is_confirmed_after_it_was_stored(server: BotApiServer) -> None:
    server.send(1, '{"update_id": 1}')
    received = Received(permits=0)
    async with polling(server, received):
        await received.next()
        assert {poll.get("offset") for poll in server.polls()} == {None}
        received.permits.release()
        await wait_for_poll_from(server, 2)


async def test_what_was_stored_before_a_stop_is_confirmed(server: BotApiServer) -> None:
    for number in (1, 2):
        server.send(number, json.dumps({"update_id": number}))
    received = Received(permits=1)
    async with polling(server, received):
        assert [await received.next(), await received.next()] == [{"update_id": 1}, {"update_id": 2}]
    last = server.polls()[-1]
    assert (last["offset"], last["limit"], last["timeout"]) == ("2", "1", "0")


@pytest.mark.parametrize(
    "failure",
    [
        (500, b'{"ok": false, "description": "Internal Server Error"}'),
        (409, b'{"ok": false, "description": "Conflict: terminated by other getUpdates request"}'),
        (429, b'{"ok": false, "description": "Too Many Requests", "parameters": {"retry_after": 1}}'),
        (502, b"<html>Bad Gateway</html>"),
        (200, b"<html>A login page with a private text</html>"),
        (200, b'["a private text"]'),
    ],
    ids=["500", "409", "429", "502", "html", "list"],
)
async def test_an_outage_costs_two_lines_of_log(
    server: BotApiServer, failure: tuple[int, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.failures += [failure, *([(500, b"{}")] * 5)]
    server.send(1, '{"update_id": 1}')
    received = Received()
    async with polling(server, received):
        assert await received.next() == {"update_id": 1}
    first, second = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert first.message.startswith("Long polling cannot be used; will retry: ")
    assert second.message.startswith("Long polling can be used again, after ")
    assert not any(record.exc_info or "private text" in record.message for record in caplog.records)


async def test_a_refused_token_ends_long_polling(server: BotApiServer) -> None:
    server.failures.append((401, b'{"ok": false, "description": "Unauthorized"}'))
    async with polling(server, Received()) as task:
        with pytest.raises(InvalidToken):
            await asyncio.wait_for(task, 20)
