"""A reply's state after the connection to Telegram breaks. The tests give httpx a fake transport."""

import httpx
import pytest

from bot.database import AsyncDatabase
from storage.chat import outbox as stored_outbox
from storage.db.states import ReplyState
from tests.telegram_wire import AcceptingWire, Wire, answering, breaking, enqueue, outbox_over, state_after

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
    await enqueue(store, 8)
    await (await outbox_over(wire, store)).send_next(8)
    return await store.read(lambda unit: stored_outbox.is_pending(unit, 900, 8))


async def test_a_long_time_offline_loses_no_reply(store: AsyncDatabase) -> None:
    await enqueue(store, 7)
    outbox = await outbox_over(breaking(httpx.ConnectError), store)
    for _ in range(30):
        assert await outbox.send_next(7)
    assert await store.read(lambda unit: stored_outbox.is_pending(unit, 900, 7))


async def test_telegram_away_costs_two_lines_in_the_log(store: AsyncDatabase, caplog: pytest.LogCaptureFixture) -> None:
    await enqueue(store, 7, 8, 9)
    wires = iter(
        [breaking(httpx.ConnectError)] * 9 + [answering(502, description="Bad Gateway")] * 9 + [AcceptingWire()]
    )
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
