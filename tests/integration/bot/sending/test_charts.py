"""Charts of training runs are sent and edited like texts."""

import httpx
import pytest

from bot.database import AsyncDatabase
from storage.chat import outbox as stored_outbox
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState, RunKind, RunState, Trigger
from storage.training import runs
from tests.telegram_wire import AcceptingWire, Wire, answering, breaking, only_state, outbox_over


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
    return await only_state(store)


async def test_the_chart_of_a_run_is_read_when_it_is_sent(store: AsyncDatabase) -> None:
    wire = AcceptingWire()
    assert await state_after_chart(store, wire, b"a picture") is ReplyState.SENT
    (request,) = wire.requests
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
