"""The bot's health check detects a blocked event loop."""

import asyncio
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot import monitoring
from bot.connection.contact import TelegramContact
from bot.monitoring import BotMonitor
from core.settings import Settings
from migrations.runner import upgrade
from storage.db.database import Database


@pytest.fixture
def monitor(tmp_path: Path) -> BotMonitor:
    settings = Settings(_env_file=None, data_dir=tmp_path, telegram_token="12345:AA")  # type: ignore[arg-type]
    upgrade(settings.database_address)
    database = Database.open(settings.database_address, [Fernet.generate_key().decode()])
    return BotMonitor(settings, database, lambda: "one", TelegramContact())


async def test_a_blocked_event_loop_is_reported(monitor: BotMonitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor.watch(asyncio.get_running_loop())
    assert await asyncio.to_thread(monitor.health) == {"event loop": None}
    monkeypatch.setattr(monitoring, "_MAX_BLOCKED", 0.05)
    found: list[object] = []
    checker = threading.Thread(target=lambda: found.append(monitor.health()))
    checker.start()
    checker.join()  # blocks the event loop on purpose
    assert "blocked" in str(found)
