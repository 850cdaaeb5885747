"""Menus and descriptions are sent again until Telegram accepts them."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playground_process import TOKEN
from telegram import Bot

from bot.connection import retries
from bot.database import AsyncDatabase
from bot.sending.command_menu import CommandMenus
from playground.client import PlaygroundClient
from storage.chat.people import upsert_person
from storage.db.database import Database

ADMIN = 5


@pytest.fixture
async def menus(
    playground: PlaygroundClient, migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]
) -> AsyncIterator[CommandMenus]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    database = AsyncDatabase(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
    await database.write(lambda unit: upsert_person(unit, ADMIN, "Ann", None))
    async with Bot(TOKEN, base_url=playground.api_url) as telegram:
        yield CommandMenus(telegram, database, frozenset({ADMIN}), ["start"], ["model"])
    database.close()


async def test_a_menu_that_failed_for_a_moment_is_set(
    menus: CommandMenus,
    playground: PlaygroundClient,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retries, "_FIRST_PAUSE", 0.0)
    playground.fault("429", "setMyCommands", times=1, retry_after=1)
    playground.fault("500", "setMyDescription", times=2)
    playground.fault("html_502", "setMyShortDescription", times=1)
    await menus.publish()
    async with Bot(TOKEN, base_url=playground.api_url) as telegram:
        assert [command.command for command in await telegram.get_my_commands()] == ["start"]
        assert (await telegram.get_my_description()).description
        assert (await telegram.get_my_short_description()).short_description
    logged = [record.getMessage() for record in caplog.records if record.name == "core.outages"]
    assert [" ".join(message.split()[3:7]) for message in logged] == ["cannot be used; will", "can be used again,"] * 3


async def test_a_menu_that_telegram_refuses_is_not_fatal(
    menus: CommandMenus, playground: PlaygroundClient, caplog: pytest.LogCaptureFixture
) -> None:
    playground.fault("400", "setMyCommands", times=1)
    with caplog.at_level("INFO"):
        await menus.publish()
    assert f"Could not set the menu of admin {ADMIN}; will retry at their next message" in caplog.text
    async with Bot(TOKEN, base_url=playground.api_url) as telegram:
        assert (await telegram.get_my_short_description()).short_description
