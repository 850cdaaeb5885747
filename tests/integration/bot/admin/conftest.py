"""The fixture for admins' chats about training runs."""

from collections.abc import Iterator

import pytest

from bot.admin.run_updates import RunUpdates
from bot.admin.training_runs import RetrainDialog
from bot.database import AsyncDatabase
from storage.db.database import Database
from tests.run_chat import BOT, SETTINGS, BotParts, WokenChats


@pytest.fixture
def bot(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotParts]:
    notified: list[int] = []
    monkeypatch.setattr("bot.admin.training_runs.notify_worker", lambda _, run_id: notified.append(run_id))
    store, woken = AsyncDatabase(database), WokenChats()
    updates = RunUpdates(store, woken, BOT, SETTINGS)  # type: ignore[arg-type]  # the code under test calls only wake
    yield BotParts(store, RetrainDialog(store, SETTINGS), updates, woken, notified)
    store.close()
