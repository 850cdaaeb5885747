"""Admins are notified once about replies that may not have arrived, and again after a quiet period."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select, update
from telegram import Bot

from bot.admin.uncertain_notices import UncertainNotices
from bot.database import AsyncDatabase
from bot.sending.outbox import Outbox
from bot.sending.troubles import QUIET_PERIOD, Troubles
from storage.chat import outbox, people
from storage.chat.outbox import Draft
from storage.db.column_types import utc_now
from storage.db.database import Database
from storage.db.tables import ReplyRow

BOT, ADMIN, PERSON = 900, 7, 8


@pytest.fixture
def notices(database: Database) -> Iterator[UncertainNotices]:
    store = AsyncDatabase(database)
    telegram = cast("Bot", SimpleNamespace(id=BOT))
    yield UncertainNotices(store, Troubles(telegram, store, Outbox(telegram, store), {ADMIN}), BOT)
    store.close()


def lose_reply(database: Database, bot_id: int = BOT, later: timedelta = timedelta()) -> None:
    """Store a reply that becomes uncertain ``later`` from now."""
    with database.unit_of_work() as unit:
        reply_id = outbox.enqueue(unit, Draft(bot_id, PERSON, {"text": "Positive"}))
        outbox.mark_uncertain(unit, reply_id, "the connection broke")
        unit.change(update(ReplyRow).where(ReplyRow.id == reply_id).values(changed_at=utc_now() + later))


def greet_admin(database: Database) -> None:
    with database.unit_of_work() as unit:
        people.upsert_person(unit, ADMIN, "Ada", "en")


def notified(database: Database) -> list[str]:
    """Return the messages that were enqueued for the admin."""
    with database.reading() as unit:
        rows = unit.scalars(select(ReplyRow.payload).where(ReplyRow.chat_id == ADMIN).order_by(ReplyRow.id))
        return [unit.cipher.decrypt(payload) for payload in rows]


async def test_admins_are_notified_once_until_a_quiet_period_has_passed(
    database: Database, notices: UncertainNotices
) -> None:
    greet_admin(database)
    await notices.poll()
    assert notified(database) == []
    lose_reply(database)
    lose_reply(database)
    await notices.poll()
    (notice,) = notified(database)
    assert "Replies that may not have arrived: 2." in notice
    assert "thumbs outbox list" in notice
    # Each new one extends the trouble, so the period starts again.
    for later in (QUIET_PERIOD - timedelta(minutes=1), 2 * QUIET_PERIOD - timedelta(minutes=2)):
        lose_reply(database, later=later)
        await notices.poll()
        assert len(notified(database)) == 1
    lose_reply(database, later=3 * QUIET_PERIOD)
    for _ in range(2):
        await notices.poll()
    assert "Replies that may not have arrived: 5." in notified(database)[1]
    assert len(notified(database)) == 2


async def test_an_admin_who_writes_later_is_notified_then(database: Database, notices: UncertainNotices) -> None:
    lose_reply(database)
    await notices.poll()
    greet_admin(database)
    await notices.poll()
    assert len(notified(database)) == 1


async def test_another_bot_s_replies_are_not_this_bot_s(database: Database, notices: UncertainNotices) -> None:
    greet_admin(database)
    lose_reply(database, bot_id=BOT + 1)
    await notices.poll()
    assert notified(database) == []
