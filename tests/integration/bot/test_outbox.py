"""A reply's state after the connection to Telegram breaks. PTB uses httpx with a fake transport."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.database import AsyncDatabase
from bot.sending import outbox as outbox_module
from bot.sending.outbox import Outbox
from bot.sending.replies import MessageContent, QuotedMessage
from storage.chat import outbox as stored_outbox
from storage.chat.outbox import Draft
from storage.db.database import Database, UnitOfWork
from storage.db.states import ReplyState, RunKind, RunState, Trigger
from storage.db.tables import ReplyRow
from storage.training import runs

TOKEN = "900:wire"
PAYLOAD: dict[str, Any] = {"text": "Positive"}
NEVER_LEFT = [
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
]
MAY_HAVE_ARRIVED = [
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
]

Wire = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]) -> Iterator[AsyncDatabase]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    opened = AsyncDatabase(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
    yield opened
    opened.close()


async def outbox_over(wire: Wire, store: AsyncDatabase) -> Outbox:
    """Return an outbox whose bot is initialized and sends all further requests over ``wire``."""

    async def transport(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/getMe"):
            return httpx.Response(200, json={"ok": True, "result": {"id": 900, "is_bot": True, "first_name": "Thumbs"}})
        answer = wire(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    bot = Bot(TOKEN, request=HTTPXRequest(httpx_kwargs={"transport": httpx.MockTransport(transport)}))
    await bot.initialize()
    return Outbox(bot, store)


async def state_after(store: AsyncDatabase, wire: Wire, changes: int | None = None) -> ReplyState:
    """Send one reply over ``wire`` and return its state afterwards."""
    await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 7, PAYLOAD, edits=changes)))
    await (await outbox_over(wire, store)).send_next(7)
    return await store.read(lambda unit: unit.scalars(select(ReplyRow.state)).one())


def breaking(error: type[httpx.TransportError]) -> Wire:
    def wire(_: httpx.Request) -> httpx.Response:
        raise error("the wire broke")

    return wire


def accepting(_: httpx.Request) -> httpx.Response:
    message = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Positive"}
    return httpx.Response(200, json={"ok": True, "result": message})


def answering(status: int, **answer: Any) -> Wire:
    return lambda _: httpx.Response(status, json={"ok": status == 200, **answer})


@pytest.mark.parametrize("error", NEVER_LEFT)
async def test_a_request_that_never_left_is_retried(store: AsyncDatabase, error: type[httpx.TransportError]) -> None:
    assert await state_after(store, breaking(error)) is ReplyState.PENDING


@pytest.mark.parametrize("error", MAY_HAVE_ARRIVED)
async def test_a_message_that_may_have_arrived_is_not_sent_again(
    store: AsyncDatabase, error: type[httpx.TransportError]
) -> None:
    assert await state_after(store, breaking(error)) is ReplyState.UNCERTAIN


@pytest.mark.parametrize("error", [*NEVER_LEFT, *MAY_HAVE_ARRIVED])
async def test_an_edit_is_always_retried(store: AsyncDatabase, error: type[httpx.TransportError]) -> None:
    assert await state_after(store, breaking(error), changes=5) is ReplyState.PENDING


async def test_an_edit_that_changes_nothing_has_arrived(store: AsyncDatabase) -> None:
    wire = answering(400, error_code=400, description="Bad Request: message is not modified: same content")
    assert await state_after(store, wire, changes=5) is ReplyState.SENT


@pytest.mark.parametrize("changes", [None, 5])
@pytest.mark.parametrize(
    ("status", "description"),
    [(400, "Bad Request: chat not found"), (403, "Forbidden: bot was blocked by the user")],
)
async def test_a_permanent_refusal_is_not_retried(
    store: AsyncDatabase, changes: int | None, status: int, description: str
) -> None:
    wire = answering(status, error_code=status, description=description)
    assert await state_after(store, wire, changes) is ReplyState.FAILED


async def test_after_a_gateway_timeout_a_message_may_have_arrived(store: AsyncDatabase) -> None:
    wire = answering(504, error_code=504, description="Gateway Timeout")
    assert await state_after(store, wire) is ReplyState.UNCERTAIN
    assert await pending_after(store, answering(500, error_code=500, description="Internal Server Error"))


async def pending_after(store: AsyncDatabase, wire: Wire) -> bool:
    """Send a reply to a different chat over ``wire`` and return whether it is pending again."""
    await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 8, PAYLOAD)))
    await (await outbox_over(wire, store)).send_next(8)
    return await store.read(lambda unit: stored_outbox.is_pending(unit, 900, 8))


async def test_a_long_time_offline_loses_no_reply(store: AsyncDatabase) -> None:
    await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 7, PAYLOAD)))
    outbox = await outbox_over(breaking(httpx.ConnectError), store)
    for _ in range(30):
        assert await outbox.send_next(7)
    assert await store.read(lambda unit: stored_outbox.is_pending(unit, 900, 7))


async def test_telegram_away_costs_two_lines_in_the_log(store: AsyncDatabase, caplog: pytest.LogCaptureFixture) -> None:
    for chat_id in (7, 8, 9):
        await store.write(lambda unit, chat=chat_id: stored_outbox.enqueue(unit, Draft(900, chat, PAYLOAD)))  # type: ignore[misc]
    wires = iter([breaking(httpx.ConnectError)] * 9 + [answering(502, description="Bad Gateway")] * 9 + [accepting])
    outbox = await outbox_over(lambda request: next(wires)(request), store)  # noqa: PLW0108 - another wire each time
    for _ in range(6):
        for chat_id in (7, 8, 9):
            await outbox.send_next(chat_id)
    await outbox.send_next(7)
    messages = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert messages == [
        "Telegram cannot be used; will retry: httpx.ConnectError: the wire broke",
        "Telegram can be used again, after 0 seconds",
    ]


async def test_a_deleted_answer_is_sent_again_when_the_question_is_edited(store: AsyncDatabase) -> None:
    seen: list[str] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path.rpartition("/")[2])
        if seen[-1] == "editMessageText":
            reason = "Bad Request: message to edit not found"
            return httpx.Response(400, json={"ok": False, "error_code": 400, "description": reason})
        message = {"message_id": 5 + len(seen), "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Positive"}
        return httpx.Response(200, json={"ok": True, "result": message})

    outbox = await outbox_over(wire, store)
    first = await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 7, PAYLOAD, answers=4)))
    await outbox.send_next(7)
    again = Draft(900, 7, PAYLOAD, answers=4, revises=first)
    second = await store.write(lambda unit: stored_outbox.enqueue(unit, again))
    while await outbox.send_next(7) is not None:
        pass
    assert seen == ["sendMessage", "editMessageText", "sendMessage"]
    outcome = await store.read(lambda unit: stored_outbox.reply_status(unit, second))
    assert outcome is not None
    assert (outcome.state, outcome.telegram_message_id) == (ReplyState.SENT, 8)


async def test_replies_that_wait_for_the_rate_limit_when_the_bot_stops_stay_pending(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "_CALLS_PER_SECOND", 1)
    sent = asyncio.Event()

    def wire(_: httpx.Request) -> httpx.Response:
        sent.set()
        message = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Positive"}
        return httpx.Response(200, json={"ok": True, "result": message})

    outbox = await outbox_over(wire, store)
    for chat_id in range(1, 31):
        await store.write(lambda unit, chat=chat_id: stored_outbox.enqueue(unit, Draft(900, chat, PAYLOAD)))  # type: ignore[misc]
    await outbox.start()
    await asyncio.wait_for(sent.wait(), 20)
    await outbox.stop()
    states = await store.read(lambda unit: list(unit.scalars(select(ReplyRow.state))))
    assert set(states) == {ReplyState.SENT, ReplyState.PENDING}
    assert states.count(ReplyState.PENDING) > 20


@pytest.mark.parametrize("breaks", ["before the commit", "after the commit"])
@pytest.mark.parametrize("step", ["claim", "result"])
async def test_a_reply_is_sent_once_and_recorded_although_the_database_fails_meanwhile(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch, breaks: str, step: str
) -> None:
    sent: list[httpx.Request] = []

    def accepting(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        message = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Positive"}
        return httpx.Response(200, json={"ok": True, "result": message})

    await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 7, PAYLOAD)))
    outbox = await outbox_over(accepting, store)
    monkeypatch.setattr(outbox_module, "_RECORD_RETRY_SECONDS", 0)
    steps = iter(["claim", "result"])
    write = store.write

    async def fail_once(work: Callable[[UnitOfWork], Any], **options: bool) -> Any:
        fails = next(steps, None) == step
        if fails and breaks == "before the commit":
            raise _broken()
        result = await write(work, **options)
        if fails:
            raise _broken()
        return result

    monkeypatch.setattr(store, "write", fail_once)
    if step == "claim":
        with pytest.raises(OperationalError):
            await outbox.send_next(7)
        assert sent == []
    await outbox.send_next(7)
    assert await outbox.send_next(7) is None
    assert len(sent) == 1
    assert await store.read(lambda unit: unit.scalars(select(ReplyRow.state)).one()) is ReplyState.SENT


async def test_few_calls_are_in_flight_at_a_time(store: AsyncDatabase) -> None:
    chats, begun, answered = range(1, 13), asyncio.Event(), asyncio.Event()
    in_flight: list[int] = []

    async def wire(request: httpx.Request) -> httpx.Response:
        in_flight.append(1)
        if len(in_flight) == outbox_module._MAX_CALLS:
            begun.set()
        await answered.wait()
        message = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Positive"}
        return httpx.Response(200, json={"ok": True, "result": message})

    outbox = await outbox_over(wire, store)
    for chat_id in chats:
        await store.write(lambda unit, chat=chat_id: stored_outbox.enqueue(unit, Draft(900, chat, PAYLOAD)))  # type: ignore[misc]
        outbox.wake(chat_id)
    await asyncio.wait_for(begun.wait(), 20)
    states = await store.read(lambda unit: list(unit.scalars(select(ReplyRow.state))))
    assert states.count(ReplyState.SENDING) == len(in_flight) == outbox_module._MAX_CALLS
    answered.set()
    while set(states) != {ReplyState.SENT}:
        states = await store.read(lambda unit: list(unit.scalars(select(ReplyRow.state))))
    await outbox.stop()


async def state_after_chart(store: AsyncDatabase, wire: Wire, card: bytes | None) -> ReplyState:
    """Send a run's chart over ``wire`` and return the reply's state afterwards."""

    def enqueue(unit: UnitOfWork) -> None:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        lease = runs.claim(unit, run.id, "the test")
        assert lease is not None
        runs.finish(unit, lease, RunState.HELD, card=card)
        stored_outbox.enqueue(unit, Draft(900, 7, {"caption": "Held", "run_card": run.id}))

    await store.write(enqueue)
    await (await outbox_over(wire, store)).send_next(7)
    return await store.read(lambda unit: unit.scalars(select(ReplyRow.state)).one())


async def test_the_chart_of_a_run_is_read_when_it_is_sent(store: AsyncDatabase) -> None:
    sent: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        message = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "caption": "Held"}
        return httpx.Response(200, json={"ok": True, "result": message})

    assert await state_after_chart(store, wire, b"a picture") is ReplyState.SENT
    (request,) = sent
    assert request.url.path.endswith("/sendPhoto")
    assert b"a picture" in request.read()


@pytest.mark.parametrize(
    ("wire", "state"),
    [
        (breaking(httpx.ConnectError), ReplyState.PENDING),
        (breaking(httpx.ReadTimeout), ReplyState.UNCERTAIN),
        (answering(400, error_code=400, description="Bad Request: IMAGE_PROCESS_FAILED"), ReplyState.FAILED),
    ],
)
async def test_a_chart_is_treated_like_a_text(store: AsyncDatabase, wire: Wire, state: ReplyState) -> None:
    assert await state_after_chart(store, wire, b"a picture") is state


async def test_a_missing_chart_is_not_retried(store: AsyncDatabase) -> None:
    assert await state_after_chart(store, breaking(httpx.ConnectError), None) is ReplyState.FAILED


async def test_text_under_a_chart_is_edited_as_a_caption(store: AsyncDatabase) -> None:
    paths: list[str] = []

    def wire(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path.rsplit("/", 1)[1])
        return httpx.Response(200, json={"ok": True, "result": True})

    await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 7, {"caption": "Held"}, edits=5)))
    await (await outbox_over(wire, store)).send_next(7)
    assert paths == ["editMessageCaption"]


def _broken() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))


@pytest.mark.parametrize(
    ("refusals", "sent", "state"),
    [
        ([], ["slow"], ReplyState.SENT),
        (["QUOTE_TEXT_INVALID"], ["slow", None], ReplyState.SENT),
        (["QUOTE_TEXT_INVALID", "chat not found"], ["slow", None], ReplyState.FAILED),
        (["message is too long"], ["slow"], ReplyState.FAILED),
    ],
)
async def test_a_quote_that_telegram_refuses_is_left_out(
    store: AsyncDatabase, refusals: list[str], sent: list[str | None], state: ReplyState
) -> None:
    replied: list[dict[str, Any]] = []

    def wire(request: httpx.Request) -> httpx.Response:
        replied.append(json.loads(parse_qs(request.read().decode())["reply_parameters"][0]))
        if len(replied) <= len(refusals):
            description = f"Bad Request: {refusals[len(replied) - 1]}"
            return httpx.Response(400, json={"ok": False, "error_code": 400, "description": description})
        message = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Why"}
        return httpx.Response(200, json={"ok": True, "result": message})

    payload = MessageContent("Why", quoted_message=QuotedMessage(3, "slow", 4)).payload()
    await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 7, payload)))
    await (await outbox_over(wire, store)).send_next(7)
    assert await store.read(lambda unit: unit.scalars(select(ReplyRow.state)).one()) is state
    assert [reply.get("quote") for reply in replied] == sent
    assert {(reply["message_id"], reply["allow_sending_without_reply"]) for reply in replied} == {(3, True)}
    assert replied[0]["quote_position"] == 4
