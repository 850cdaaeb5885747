"""Updates from floods and from blocked people are dropped before they are stored."""

import json

from sqlalchemy import select

from bot.database import AsyncDatabase
from bot.receiving.flood_limits import FloodLimits
from bot.receiving.inbox import Inbox
from bot.receiving.raw_update import RawUpdate
from bot.sending.outbox import Outbox
from core.settings import Settings
from storage.chat import blocks
from storage.db.tables import ReplyRow, UpdateRow
from tests.inbox_parts import (
    BOT,
    Handler,
    make_failures,
    make_inbox,
)
from tests.raw_updates import command, message, tap, update


async def test_a_flood_is_dropped_before_it_is_stored_and_answered_once(store: AsyncDatabase) -> None:
    handler = Handler(store)
    limits = FloodLimits(BOT, store, Outbox(BOT, store), Settings(_env_file=None), clock=lambda: 0.0)
    inbox = Inbox(BOT, store, handler, make_failures(store), limits.admits)
    for number in range(1, 501):
        await inbox.receive(update(number))
    await inbox.receive(update(501, chat=8))
    handled = {await handler.next() for _ in range(61)}
    assert handled == {*range(1, 61), 501}
    replies = await store.read(lambda unit: [row.chat_id for row in unit.scalars(select(ReplyRow))])
    assert replies == [7]
    assert await store.read(lambda unit: len(unit.scalars(select(UpdateRow.update_id)).all())) == 61
    await inbox.stop()


async def test_a_blocked_person_may_only_ask_about_their_data_and_delete_it(store: AsyncDatabase) -> None:
    await store.write(lambda unit: blocks.block(unit, 7))
    handler = Handler(store)
    inbox = make_inbox(store, handler)
    group = {"id": -5, "type": "group", "title": "Films"}
    dropped = [
        update(1),
        update(2, text="/deleteme"),  # without an entity, the bot does not see a command
        command(3, "/start"),
        command(4, "/deletemeplease"),
        command(5, "/deleteme", chat=group),
        tap(6, "vote:1:right"),
        json.dumps({"update_id": 7, "edited_message": json.loads(command(7, "/privacy"))["message"]}),
        json.dumps({"update_id": 8, "message": message(text="/privacy", entities=[{"type": "bot_command"}, 1])}),
    ]
    accepted = [command(9, "/privacy"), command(10, "/DeleteMe now"), tap(11, "delete:yes"), tap(12, "delete:no")]
    for payload in [*dropped, *accepted]:
        await inbox.receive(payload)
    assert sorted([await handler.next() for _ in accepted]) == [9, 10, 11, 12]
    stored = await store.read(lambda unit: list(unit.scalars(select(UpdateRow.update_id))))
    assert sorted(stored) == [9, 10, 11, 12]
    await inbox.stop()


async def test_a_blocked_person_s_requests_are_limited_too(store: AsyncDatabase) -> None:
    await store.write(lambda unit: blocks.block(unit, 7))
    settings = Settings(_env_file=None, messages_per_minute=3)
    limits = FloodLimits(BOT, store, Outbox(BOT, store), settings, clock=lambda: 0.0)
    inbox = Inbox(BOT, store, Handler(store), make_failures(store), limits.admits)
    for number in range(10):
        await inbox.receive(command(number, "/deleteme"))
    assert await store.read(lambda unit: len(unit.scalars(select(UpdateRow.update_id)).all())) == 3
    await inbox.stop()


async def test_taps_have_a_limit_of_their_own(store: AsyncDatabase) -> None:
    limits = FloodLimits(BOT, store, Outbox(BOT, store), Settings(_env_file=None, taps_per_minute=2), clock=lambda: 0.0)
    tap = RawUpdate(1, 7, 7, "tap", "{}")
    assert [await limits.admits(tap) for _ in range(3)] == [True, True, False]
    assert await limits.admits(RawUpdate(2, 7, 7, None, "{}"))
