"""The outbox sends each reply once, and few at a time, even if messages are deleted and the database fails."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bot.database import AsyncDatabase
from bot.sending import outbox as outbox_module
from bot.sending.replies import MessageContent, QuotedMessage
from storage.chat import outbox as stored_outbox
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow
from tests.telegram_wire import AcceptingWire, accepted, enqueue, only_state, outbox_over


async def test_a_deleted_answer_is_sent_again_when_the_question_is_edited(store: AsyncDatabase) -> None:
    seen: list[str] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path.rpartition("/")[2])
        if seen[-1] == "editMessageText":
            reason = "Bad Request: message to edit not found"
            return httpx.Response(400, json={"ok": False, "error_code": 400, "description": reason})
        return accepted(5 + len(seen))

    outbox = await outbox_over(wire, store)
    first = await enqueue(store, 7, answers=4)
    await outbox.send_next(7)
    second = await enqueue(store, 7, answers=4, revises=first)
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
        return accepted()

    outbox = await outbox_over(wire, store)
    await enqueue(store, *range(1, 31))
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
    accepting = AcceptingWire()
    await enqueue(store, 7)
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
        assert accepting.requests == []
    await outbox.send_next(7)
    assert await outbox.send_next(7) is None
    assert len(accepting.requests) == 1
    assert await only_state(store) is ReplyState.SENT


async def test_few_calls_are_in_flight_at_a_time(store: AsyncDatabase) -> None:
    chats, begun, answered = range(1, 13), asyncio.Event(), asyncio.Event()
    in_flight: list[int] = []

    async def wire(request: httpx.Request) -> httpx.Response:
        in_flight.append(1)
        if len(in_flight) == outbox_module._MAX_CALLS:
            begun.set()
        await answered.wait()
        return accepted()

    outbox = await outbox_over(wire, store)
    await enqueue(store, *chats)
    for chat_id in chats:
        outbox.wake(chat_id)
    await asyncio.wait_for(begun.wait(), 20)
    states = await store.read(lambda unit: list(unit.scalars(select(ReplyRow.state))))
    assert states.count(ReplyState.SENDING) == len(in_flight) == outbox_module._MAX_CALLS
    answered.set()
    while set(states) != {ReplyState.SENT}:
        states = await store.read(lambda unit: list(unit.scalars(select(ReplyRow.state))))
    await outbox.stop()


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
        return accepted()

    payload = MessageContent("Why", quoted_message=QuotedMessage(3, "slow", 4)).payload()
    await store.write(lambda unit: stored_outbox.enqueue(unit, Draft(900, 7, payload)))
    await (await outbox_over(wire, store)).send_next(7)
    assert await only_state(store) is state
    assert [reply.get("quote") for reply in replied] == sent
    assert {(reply["message_id"], reply["allow_sending_without_reply"]) for reply in replied} == {(3, True)}
    assert replied[0]["quote_position"] == 4
