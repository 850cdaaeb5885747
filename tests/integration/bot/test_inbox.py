"""The inbox stores updates first, handles them in order, and retries them after a failure."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from telegram import Bot, Update

from bot.database import AsyncDatabase
from bot.transport import inbox
from bot.transport.inbox import Inbox
from bot.transport.message_parts import JoinedText
from storage.chat import inbox as stored_inbox
from storage.db.database import Database, UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow

BOT_ID = 900


class KnownBot(Bot):
    """A bot that knows its id without asking Telegram."""

    @property
    def id(self) -> int:
        return BOT_ID


BOT = KnownBot("900:wire")


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]) -> Iterator[AsyncDatabase]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    opened = AsyncDatabase(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
    yield opened
    opened.close()


def update(number: int, chat: int = 7, text: str = "A fine play.") -> Update:
    message = {
        "message_id": number,
        "date": 1_000,
        "chat": {"id": chat, "type": "private"},
        "from": {"id": chat, "is_bot": False, "first_name": "Ann"},
        "text": text,
    }
    found = Update.de_json({"update_id": number, "message": message}, BOT)
    assert found is not None
    return found


class Handler:
    """Fails on the first ``failures`` updates, finishes the others, and lets a test wait for them."""

    def __init__(self, store: AsyncDatabase, failures: int = 0) -> None:
        self.store, self.failures = store, failures
        self.seen: list[int] = []
        self.finished: asyncio.Queue[int] = asyncio.Queue()

    async def __call__(self, item: Update | JoinedText) -> None:
        pieces = item.pieces if isinstance(item, JoinedText) else (item,)
        numbers = [piece.update_id for piece in pieces]
        self.seen += numbers
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the test asked for a failure")

        def finish(unit: UnitOfWork) -> None:
            for number in numbers:
                stored_inbox.finish(unit, BOT_ID, number)

        await self.store.write(finish)
        for number in numbers:
            self.finished.put_nowait(number)

    async def next(self) -> int:
        return await asyncio.wait_for(self.finished.get(), 20)


async def states(store: AsyncDatabase) -> dict[int, UpdateState]:
    def work(unit: UnitOfWork) -> dict[int, UpdateState]:
        return {row.update_id: row.state for row in unit.scalars(select(UpdateRow))}

    return await store.read(work)


async def test_an_update_is_stored_before_it_is_handled_and_a_duplicate_is_dropped(store: AsyncDatabase) -> None:
    handler = Handler(store)
    box = Inbox(BOT, store, handler)
    await box.put(update(1))
    assert 1 in await states(store)
    await box.put(update(1))
    await box.put(update(2))
    assert [await handler.next(), await handler.next()] == [1, 2]
    assert handler.seen == [1, 2]
    await box.stop()


async def test_a_failed_update_is_retried_and_does_not_block_its_chat(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    handler = Handler(store, failures=1)
    box = Inbox(BOT, store, handler)
    await box.put(update(1))
    await box.put(update(2))
    assert await handler.next() == 2
    box.start()
    assert await handler.next() == 1
    await box.stop()
    assert await states(store) == {1: UpdateState.HANDLED, 2: UpdateState.HANDLED}


async def test_updates_left_by_an_earlier_process_are_handled(store: AsyncDatabase) -> None:
    first = Inbox(BOT, store, Handler(store, failures=1))
    await first.put(update(1))
    await first.stop()
    handler = Handler(store)
    second = Inbox(BOT, store, handler)
    second.start()
    assert await handler.next() == 1
    await second.stop()


async def test_an_unreadable_update_is_set_aside_and_the_others_are_handled(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    await store.write(lambda unit: stored_inbox.receive(unit, BOT_ID, 1, 7, "not JSON"))
    await store.write(lambda unit: stored_inbox.receive(unit, BOT_ID, 2, 7, update(2).to_json()))
    handler = Handler(store)
    box = Inbox(BOT, store, handler)
    box.start()
    assert await handler.next() == 2
    async with asyncio.timeout(20):
        while (await states(store))[1] is not UpdateState.FAILED:
            pass
    await box.stop()


async def test_chats_do_not_wait_for_each_other(store: AsyncDatabase) -> None:
    slow = asyncio.Event()
    done: asyncio.Queue[int] = asyncio.Queue()

    async def handle(item: Update | JoinedText) -> None:
        assert isinstance(item, Update)
        if item.update_id == 1:
            await slow.wait()
        done.put_nowait(item.update_id)

    box = Inbox(BOT, store, handle)
    await box.put(update(1, chat=7))
    await box.put(update(2, chat=8))
    assert await asyncio.wait_for(done.get(), 20) == 2
    slow.set()
    assert await asyncio.wait_for(done.get(), 20) == 1
    await box.stop()
