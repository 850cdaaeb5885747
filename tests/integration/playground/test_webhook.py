"""Delivery to a webhook: in order, with the secret, and retried after a failure."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playground_process import TOKEN, StartPlayground
from telegram import Bot
from telegram.error import BadRequest, Conflict
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from playground.client import PlaygroundClient


@dataclass
class Receiver:
    """A bot's webhook server that rejects the first ``refusals`` requests."""

    url: str = ""
    refusals: int = 0
    answer: "tuple[str, str]" = ("", "")
    """Content type and body of the receiver's answers."""
    deliveries: "asyncio.Queue[tuple[int, str | None, str]]" = field(default_factory=asyncio.Queue)

    async def next(self) -> tuple[int, str | None, str]:
        """Return the status, secret and text of the next delivery."""
        return await asyncio.wait_for(self.deliveries.get(), 20)


class _Handler(RequestHandler):
    def initialize(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def post(self) -> None:
        from json import loads

        self.receiver.refusals -= 1
        content_type, body = self.receiver.answer
        self.set_status(503 if self.receiver.refusals >= 0 else 200 if body else 204)
        if body:
            self.set_header("Content-Type", content_type)
            self.write(body)
        text = loads(self.request.body)["message"]["text"]
        secret = self.request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        self.receiver.deliveries.put_nowait((self.get_status(), secret, text))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    socket, port = bind_unused_port()
    server = HTTPServer(Application([("/hook", _Handler, {"receiver": receiver})]))
    server.add_sockets([socket])
    receiver.url = f"http://127.0.0.1:{port}/hook"
    yield receiver
    server.stop()
    await server.close_all_connections()


async def test_updates_are_posted_in_order_until_accepted(playground: PlaygroundClient, receiver: Receiver) -> None:
    receiver.refusals = 1
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        await bot.set_webhook(receiver.url, secret_token="s3cret_-")
        assert playground.status()["bot"] == {"polling": False, "webhook": receiver.url, "last_poll": None}
        await asyncio.to_thread(playground.message, "one")
        await asyncio.to_thread(playground.message, "two")
        assert [await receiver.next() for _ in range(3)] == [
            (503, "s3cret_-", "one"),
            (204, "s3cret_-", "one"),
            (204, "s3cret_-", "two"),
        ]
        info = await bot.get_webhook_info()
        assert info.url == receiver.url
        assert "503" in info.last_error_message
        with pytest.raises(Conflict, match="while webhook is active"):
            await bot.get_updates()


async def test_polling_works_again_after_the_webhook_is_deleted(
    playground: PlaygroundClient, receiver: Receiver
) -> None:
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        await bot.set_webhook(receiver.url)
        receiver.refusals = 1000
        await asyncio.to_thread(playground.message, "one")
        assert (await receiver.next())[:2] == (503, None)
        await bot.delete_webhook()
        assert [update.message.text for update in await bot.get_updates()] == ["one"]
        await bot.set_webhook(receiver.url, drop_pending_updates=True)
        assert (await bot.get_webhook_info()).pending_update_count == 0


async def test_a_poll_ends_when_a_webhook_is_set(playground: PlaygroundClient, receiver: Receiver) -> None:
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        poll = asyncio.create_task(bot.get_updates(timeout=30))
        await asyncio.to_thread(playground.status, wait=10)
        await bot.set_webhook(receiver.url)
        with pytest.raises(Conflict, match="terminated by setWebhook request"):
            await poll


async def test_a_webhook_survives_a_restart(start_playground: StartPlayground, receiver: Receiver) -> None:
    async with Bot(TOKEN, base_url=start_playground().api_url) as bot:
        await bot.set_webhook(receiver.url, secret_token="kept")
    playground = await asyncio.to_thread(start_playground)
    await asyncio.to_thread(playground.message, "one")
    assert await receiver.next() == (204, "kept", "one")


@pytest.mark.parametrize(
    "answer",
    [
        ("application/json", '{"method": "sendMessage", "chat_id": 2, "text": "Hi"}'),
        ("application/x-www-form-urlencoded", "method=SENDMESSAGE&chat_id=2&text=Hi"),
        (
            "multipart/form-data; boundary=b",
            "".join(
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in (("method", "sendMessage"), ("chat_id", "2"), ("text", "Hi"))
            )
            + "--b--\r\n",
        ),
    ],
    ids=["json", "form", "multipart"],
)
async def test_a_method_in_the_answer_is_called(
    playground: PlaygroundClient, receiver: Receiver, answer: tuple[str, str]
) -> None:
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        await bot.set_webhook(receiver.url)
    receiver.answer = answer
    await asyncio.to_thread(playground.message, "one")
    call = await asyncio.to_thread(playground.wait_for_call, "sendMessage")
    assert (call["ok"], call["result"]["text"]) == (True, "Hi")
    assert (await receiver.next())[0] == 200


async def test_an_answer_without_a_method_that_may_be_called_is_ignored(
    playground: PlaygroundClient, receiver: Receiver
) -> None:
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        await bot.set_webhook(receiver.url)
    for body in ("{", "[]", "{}", '{"method": "deleteWebhook"}', '{"method": "getMe"}', '{"method": "dance"}'):
        receiver.answer = ("application/json", body)
        await asyncio.to_thread(playground.message, "one")
        await receiver.next()
    receiver.answer = ("application/json", '{"method": "sendMessage", "chat_id": 9, "text": "Hi"}')
    await asyncio.to_thread(playground.message, "two")
    call = await asyncio.to_thread(playground.wait_for_call, "sendMessage")
    assert (call["ok"], call["result"]["description"]) == (False, "Bad Request: chat not found")
    calls = [entry["method"] for entry in await asyncio.to_thread(playground.outbox)]
    assert calls == ["getMe", "setWebhook", "sendMessage"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"url": "ftp://example.com"}, "(?i)HTTPS URL must be provided"),
        ({"url": "https://example.com", "secret_token": "no spaces"}, "1 to 256 of"),
        ({"url": "https://example.com", "max_connections": 101}, "1 to 100 expected"),
    ],
)
async def test_bad_webhooks_are_refused(playground: PlaygroundClient, values: dict, reason: str) -> None:
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        with pytest.raises(BadRequest, match=reason):
            await bot.set_webhook(**values)
        assert (await bot.get_webhook_info()).url == ""
