"""Admins are notified once about updates that fail for good."""

import asyncio
import json

from sqlalchemy import select

from bot.database import AsyncDatabase
from bot.receiving.inbox import Inbox
from storage.chat import inbox as stored_inbox
from storage.chat.people import upsert_person
from storage.chat.troubles import TroubleKind, forget_report
from storage.db.database import UnitOfWork
from storage.db.tables import ReplyRow
from tests.inbox_parts import (
    ADMIN,
    BOT_ID,
    make_failures,
)
from tests.raw_updates import update


async def notices(store: AsyncDatabase) -> list[tuple[int, str]]:
    """Return the chat and text of each reply that is not addressed to the updates' sender."""

    def work(unit: UnitOfWork) -> list[tuple[int, str]]:
        rows = unit.scalars(select(ReplyRow).where(ReplyRow.chat_id != 7).order_by(ReplyRow.id))
        return [(row.chat_id, json.loads(unit.cipher.decrypt(row.payload))["text"]) for row in rows]

    return await store.read(work)


async def fail_for_good(store: AsyncDatabase, *numbers: int) -> None:
    failures = make_failures(store)
    for number in numbers:
        await store.write(lambda unit, each=number: stored_inbox.receive(unit, BOT_ID, each, 7, update(each)))  # type: ignore[misc]
        for _ in range(stored_inbox.MAX_ATTEMPTS):
            await failures.record([number], ValueError("the test asked for a failure"))


async def test_admins_are_notified_once_until_somebody_deals_with_it(each_store: AsyncDatabase) -> None:
    await fail_for_good(each_store, 1)
    assert await notices(each_store) == []  # Telegram lets a bot write only to people who have written to it
    await each_store.write(lambda unit: upsert_person(unit, ADMIN, "Ada", "en"))
    await fail_for_good(each_store, 2, 3)
    ((chat, text),) = await notices(each_store)
    assert chat == ADMIN
    assert "update 2" in text
    await each_store.write(lambda unit: forget_report(unit, BOT_ID, TroubleKind.UPDATE_FAILED))
    await fail_for_good(each_store, 4)
    assert len(await notices(each_store)) == 2


async def test_admins_are_notified_once_of_what_cannot_be_stored(each_store: AsyncDatabase, box: Inbox) -> None:
    await each_store.write(lambda unit: upsert_person(unit, ADMIN, "Ada", "en"))
    await box.receive("[]")
    await box.receive("{}")
    async with asyncio.timeout(20):
        while not await notices(each_store):
            pass
    await box.stop()
    assert len(await notices(each_store)) == 1
