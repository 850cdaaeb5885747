"""The inbox stores updates first, handles them in order, and retries them after a failure."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from telegram import Update

from bot.database import AsyncDatabase
from bot.receiving import in_progress, inbox
from bot.receiving.message_parts import Post
from storage.db.states import UpdateState
from storage.privacy.erasure import erase
from tests.inbox_parts import (
    Handler,
    make_inbox,
    states,
)
from tests.raw_updates import TAP, message, update


async def test_an_update_is_stored_before_it_is_handled_and_a_duplicate_is_dropped(store: AsyncDatabase) -> None:
    handler = Handler(store)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    assert 1 in await states(store)
    await box.receive(update(1))
    await box.receive(update(2))
    assert [await handler.next(), await handler.next()] == [1, 2]
    assert handler.seen == [1, 2]
    await box.stop()


async def test_a_failed_update_is_retried_and_does_not_block_its_chat(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    handler = Handler(store, failures=1)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    await box.receive(update(2))
    assert await handler.next() == 2
    box.start()
    assert await handler.next() == 1
    await box.stop()
    assert await states(store) == {1: UpdateState.HANDLED, 2: UpdateState.HANDLED}


async def test_updates_left_by_an_earlier_process_are_handled(store: AsyncDatabase) -> None:
    first = make_inbox(store, Handler(store, failures=1))
    await first.receive(update(1))
    await first.stop()
    handler = Handler(store)
    second = make_inbox(store, handler)
    second.start()
    assert await handler.next() == 1
    await second.stop()


async def test_chats_do_not_wait_for_each_other(store: AsyncDatabase) -> None:
    slow = asyncio.Event()
    done: asyncio.Queue[int] = asyncio.Queue()

    async def handle(item: Update | Post) -> None:
        assert isinstance(item, Update)
        if item.update_id == 1:
            await slow.wait()
        done.put_nowait(item.update_id)

    box = make_inbox(store, handle)
    await box.receive(update(1, chat=7))
    await box.receive(update(2, chat=8))
    assert await asyncio.wait_for(done.get(), 20) == 2
    slow.set()
    assert await asyncio.wait_for(done.get(), 20) == 1
    await box.stop()


async def test_an_update_that_keeps_failing_is_retried_less_and_less_often(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    attempts: asyncio.Queue[float] = asyncio.Queue()

    async def handle(_: object) -> None:
        attempts.put_nowait(asyncio.get_running_loop().time())
        raise OperationalError("UPDATE", {}, Exception("an outage, which is not counted"))

    box = make_inbox(store, handle)
    box.start()
    await box.receive(update(1))
    times = [await asyncio.wait_for(attempts.get(), 20) for _ in range(6)]
    await box.stop()
    # After the first attempt, the sweep retries soon, and then after a pause that doubles. An attempt begins shortly
    # after its sweep, so the measured pauses may be a little shorter than 0.02 and 0.08 s.
    assert times[3] - times[2] >= 0.01
    assert times[5] - times[4] >= 0.04


async def test_no_more_updates_are_taken_on_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_progress, "MAX_IN_PROGRESS", 2)
    updates = in_progress.InProgress()
    updates.add(1)
    updates.add(2)
    waiting = asyncio.create_task(updates.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    updates.remove([1])
    await asyncio.wait_for(waiting, 10)


@pytest.mark.parametrize(
    "event",
    [
        {"message": message()},
        {"edited_message": message()},
        {"callback_query": TAP},
        {"inline_query": {"id": "1", "from": {"id": 7}}},
        {"poll_answer": {"poll_id": "1", "user": {"id": 7}}},
        {"message": {"message_id": 5, "chat": {"id": 7, "type": "private"}}},
    ],
    ids=["message", "edit", "tap", "inline query", "poll answer", "private chat"],
)
async def test_erasing_a_person_clears_their_updates_of_every_kind(
    each_store: AsyncDatabase, event: dict[str, Any]
) -> None:
    stopped = make_inbox(each_store, Handler(each_store, failures=1))
    await stopped.receive(json.dumps({"update_id": 1, **event}))
    erased = await each_store.write(lambda unit: erase(unit, 7))
    await stopped.stop()
    assert erased.updates == 1
