"""The webhook server confirms updates once they are stored, and rejects all other requests early."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.receiving.webhook import Limits, WebhookServer
from core.errors import BadSetting

SECRET = "a-secret-for-tests"
MINUTE = 60.0
UPDATE = json.dumps({"update_id": 1, "message": {"text": "Ein schönes Stück"}}, ensure_ascii=False)
LIMITS = Limits(body_bytes=10_000, seconds=MINUTE)

Receive = Callable[[str], Awaitable[None]]


class Client:
    """A raw connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_until_refused(self, size: int) -> int:
        """Send up to ``size`` bytes, and return how many were sent before the server closed the connection."""
        for sent in range(0, size, 65_536):
            try:
                await self.send(b"x" * 65_536)
            except ConnectionError:
                return sent
        return size

    async def status(self) -> int:
        """Return the next response's status, and check that the response has only the necessary headers."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), MINUTE)).decode()
        line, *headers = head.strip().split("\r\n")
        assert {header.split(":")[0] for header in headers} <= {"Content-Length", "Connection"}
        return int(line.split()[1])

    async def closed(self) -> bool:
        """Wait until the server closes the connection, and return whether it sent nothing before closing it."""
        try:
            return await asyncio.wait_for(self.reader.read(), MINUTE) == b""
        except ConnectionResetError:
            return True


class Running:
    """A running server, the updates that it passed on, and its clients."""

    def __init__(self, receive: Receive | None = None, limits: Limits = LIMITS) -> None:
        self.received: list[str] = []
        self.server = WebhookServer("https://bot.example.org/telegram?from=1", receive or self._keep, limits)
        self.server.secret = SECRET
        self.port = self.server.bind("127.0.0.1", 0)
        self.server.start()

    async def _keep(self, text: str) -> None:
        self.received.append(text)

    async def connect(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.port))


Start = Callable[..., Running]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    started: list[Running] = []

    def run(receive: Receive | None = None, limits: Limits = LIMITS) -> Running:
        started.append(Running(receive, limits))
        return started[-1]

    yield run
    for one in started:
        await one.server.stop()


def head(
    length: int | None, secret: str | None = SECRET, method: str = "POST", path: str = "/telegram?from=1"
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bot.example.org"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    lines += [] if secret is None else [f"X-Telegram-Bot-Api-Secret-Token: {secret}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def request(body: str = UPDATE) -> bytes:
    data = body.encode()
    return head(len(data)) + data


async def test_updates_are_passed_on_and_confirmed_over_one_connection(start: Start) -> None:
    running = start()
    client = await running.connect()
    for _ in range(2):
        await client.send(request())
        assert await client.status() == 200
    assert running.received == [UPDATE, UPDATE]


async def test_an_update_is_confirmed_only_once_it_is_stored(start: Start) -> None:
    taken, stored = asyncio.Event(), asyncio.Event()

    async def receive(_: str) -> None:
        taken.set()
        await stored.wait()

    client = await start(receive).connect()
    await client.send(request())
    await asyncio.wait_for(taken.wait(), MINUTE)
    answer = asyncio.create_task(client.status())
    assert not (await asyncio.wait({answer}, timeout=0.05))[0]
    stored.set()
    assert await answer == 200


async def test_an_update_that_cannot_be_stored_is_not_confirmed(start: Start) -> None:
    async def receive(_: str) -> None:
        raise RuntimeError("the test asked for a failure")

    client = await start(receive).connect()
    await client.send(request())
    assert await client.status() == 500


async def test_the_work_for_a_request_ends_when_its_sender_has_gone(start: Start) -> None:
    taken, cancelled = asyncio.Event(), asyncio.Event()

    async def receive(_: str) -> None:
        taken.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    client = await start(receive).connect()
    await client.send(request())
    await asyncio.wait_for(taken.wait(), MINUTE)
    client.writer.close()
    await asyncio.wait_for(cancelled.wait(), MINUTE)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (head(85_000_000, secret=None), 403),
        (head(85_000_000, secret="another"), 403),
        (head(85_000_000, secret="ä"), 403),
        (head(85_000_000, secret=""), 403),
        (head(85_000_000, secret=f"{SECRET}x"), 403),
        (head(85_000_000, path="/"), 404),
        (head(85_000_000, path="/telegram/x"), 404),
        (head(85_000_000, path="//telegram"), 404),
        (head(85_000_000, path="//["), 404),
        (head(85_000_000, method="PUT"), 405),
        (head(None, method="GET"), 405),
        (head(85_000_000), 413),
        (head(int("9" * 4_000)), 413),
    ],
)
async def test_a_request_is_refused_before_any_of_its_body_is_sent(start: Start, headers: bytes, status: int) -> None:
    running = start()
    client = await running.connect()
    await client.send(headers)
    assert await client.status() == status
    assert await client.closed()
    assert running.received == []
    assert running.server.refusals == (status == 403)


async def test_nothing_is_accepted_before_the_secret_is_known(start: Start) -> None:
    running = start()
    running.server.secret = ""
    client = await running.connect()
    await client.send(head(2, secret="") + b"{}")
    assert await client.status() == 403


async def test_a_refused_body_is_not_taken(start: Start) -> None:
    client = await start().connect()
    await client.send(head(85_000_000, secret=None))
    sent = await client.send_until_refused(85_000_000)
    assert sent < 20_000_000  # what the two sockets buffer


async def test_a_body_of_unknown_size_is_taken_up_to_the_limit(start: Start) -> None:
    running = start()
    client = await running.connect()
    await client.send(head(None)[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    for _ in range(3):
        await client.send(chunk)
    assert await client.status() == 400
    assert await client.closed()
    assert running.received == []


async def test_a_body_that_is_not_utf_8_is_refused(start: Start) -> None:
    client = await start().connect()
    await client.send(head(1) + b"\xff")
    assert await client.status() == 400


@pytest.mark.parametrize("beginning", [b"", head(100)[:-2], head(100), head(100) + b"{"])
async def test_a_slow_request_is_cut_off(start: Start, beginning: bytes) -> None:
    running = start(limits=Limits(seconds=0.2))
    client = await running.connect()
    await client.send(beginning)
    assert await client.closed()
    assert running.received == []


async def test_headers_have_a_maximum_size(start: Start) -> None:
    client = await start(limits=Limits()).connect()
    await client.send(head(100)[:-2] + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n")
    assert await client.closed()


async def test_connections_have_a_maximum_number(start: Start) -> None:
    running = start(limits=Limits(seconds=MINUTE, connections=3))
    clients = [await running.connect() for _ in range(3)]
    for client in clients:
        await client.send(request())
        assert await client.status() == 200
    assert await (await running.connect()).closed()
    await clients[0].send(head(None, method="GET"))
    assert await clients[0].status() == 405
    assert await clients[0].closed()
    again = await running.connect()
    await again.send(request())
    assert await again.status() == 200


def test_the_limits_are_those_that_the_documentation_states() -> None:
    assert Limits() == Limits(body_bytes=1_000_000, seconds=10.0, connections=100)


async def receive_nothing(_: str) -> None:
    raise AssertionError("no request is sent")


async def test_a_taken_port_is_reported_by_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = WebhookServer("https://bot.example.org/", receive_nothing)
        with pytest.raises(BadSetting, match=f"WEBHOOK_PORT cannot be used: .* port {port} of 127.0.0.1"):
            server.bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a..b"])
async def test_an_address_that_is_not_this_machines_is_reported_by_its_setting(host: str) -> None:
    server = WebhookServer("https://bot.example.org/", receive_nothing)
    with pytest.raises(BadSetting, match="WEBHOOK_LISTEN"):
        server.bind(host, 0)
