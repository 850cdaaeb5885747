"""An inbox whose handler a test controls, and functions that read the updates' states from the database."""

import asyncio
from typing import Any

from sqlalchemy import select
from telegram import Bot, Update

from bot.database import AsyncDatabase
from bot.incoming import IncomingText
from bot.receiving.failed_updates import FailedUpdates
from bot.receiving.inbox import Handle, Inbox
from bot.receiving.message_parts import Post
from bot.receiving.raw_update import RawUpdate
from bot.sending.outbox import Outbox
from bot.sending.troubles import Troubles
from storage.chat import inbox as stored_inbox
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow

BOT_ID = 900
ADMIN, ADMIN_WHO_NEVER_WROTE = 40, 41


class KnownBot(Bot):
    """A bot that doesn't need to ask Telegram for its id."""

    @property
    def id(self) -> int:
        return BOT_ID

    @property
    def username(self) -> str:
        return "thumbs_bot"

    async def initialize(self) -> None:
        """Do nothing, so that no request is made."""

    async def answer_callback_query(self, callback_query_id: str, *_: Any, **__: Any) -> bool:
        return bool(callback_query_id)


BOT = KnownBot("900:wire")


def make_failures(store: AsyncDatabase) -> FailedUpdates:
    outbox = Outbox(BOT, store)
    return FailedUpdates(BOT, store, outbox, Troubles(BOT, store, outbox, [ADMIN, ADMIN_WHO_NEVER_WROTE]))


async def admit_all(_: RawUpdate) -> bool:
    return True


def make_inbox(store: AsyncDatabase, handle: Handle) -> Inbox:
    return Inbox(BOT, store, handle, make_failures(store), admit_all)


class Handler:
    """A handler that fails on the first ``failures`` updates, handles later ones, and lets a test wait for updates."""

    def __init__(self, store: AsyncDatabase, failures: int = 0) -> None:
        self.store, self.failures = store, failures
        self.seen: list[int] = []
        self.finished: asyncio.Queue[int] = asyncio.Queue()

    async def __call__(self, item: Update | Post) -> None:
        pieces = item.pieces if isinstance(item, Post) else (item,)
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


class Responder:
    """Sends no replies, but finishes updates like the real responder."""

    def __init__(self, store: AsyncDatabase) -> None:
        self.store = store

    async def answer(self, text: IncomingText) -> None:
        await self.store.write(text.incoming.finish)


async def states(store: AsyncDatabase) -> dict[int, UpdateState]:
    def work(unit: UnitOfWork) -> dict[int, UpdateState]:
        return {row.update_id: row.state for row in unit.scalars(select(UpdateRow))}

    return await store.read(work)


async def wait_for_states(store: AsyncDatabase, expected: dict[int, UpdateState]) -> None:
    async with asyncio.timeout(20):
        while await states(store) != expected:
            pass


async def wait_until_set_aside(store: AsyncDatabase, number: int) -> None:
    async with asyncio.timeout(20):
        while (await states(store))[number] is not UpdateState.FAILED:
            pass
