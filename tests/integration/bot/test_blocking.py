"""Admins block and unblock people with /block and /unblock."""

import pytest

from bot.admin.blocking import BlockingDialog
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender
from storage.chat import blocks, outbox
from storage.db.database import Database

BOT, ADMIN, OTHER_ADMIN, PERSON = 900, 1, 2, 7
INCOMING = Incoming(BOT, (), ADMIN, Sender(ADMIN, "Ada", "en"))


async def answer(store: AsyncDatabase, command: str, *words: str) -> str:
    """Send a command, and return the bot's reply."""
    dialog = BlockingDialog(store, {ADMIN, OTHER_ADMIN})
    await (dialog.block if command == "block" else dialog.unblock)(INCOMING, list(words))
    reply = await store.write(lambda unit: outbox.claim_next(unit, BOT, ADMIN))
    assert reply is not None
    return str(reply.payload["text"])


async def test_a_person_is_blocked_and_unblocked(database: Database) -> None:
    store = AsyncDatabase(database)
    assert "I'm now ignoring <code>7</code>" in await answer(store, "block", "7")
    assert "already blocked" in await answer(store, "block", "7")
    assert await store.read(lambda unit: blocks.is_blocked(unit, PERSON))
    assert "I'm no longer ignoring <code>7</code>" in await answer(store, "unblock", "7")
    assert "isn't blocked" in await answer(store, "unblock", "7")
    assert not await store.read(lambda unit: blocks.is_blocked(unit, PERSON))


async def test_an_admin_is_not_blocked(database: Database) -> None:
    store = AsyncDatabase(database)
    assert "I can't block admins" in await answer(store, "block", str(OTHER_ADMIN))
    assert not await store.read(lambda unit: blocks.is_blocked(unit, OTHER_ADMIN))


@pytest.mark.parametrize("words", [(), ("Ann",), ("-7",), ("0",), ("7", "8"), ("9" * 30,), ("²",)])
async def test_anything_but_one_id_is_explained(database: Database, words: tuple[str, ...]) -> None:
    assert "for example /block 123456789" in await answer(AsyncDatabase(database), "block", *words)
