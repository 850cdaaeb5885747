"""The model that a bot starts with is freed from memory once another model has replaced it."""

import gc
import logging
from pathlib import Path

import pytest
from paths import STARTER
from prometheus_client import REGISTRY

import bot.main
from bot.application import Bot
from bot.monitoring import BotMonitor
from core.settings import Settings
from migrations import runner
from ml.serving.engine import Classifier
from storage.db.encryption import make_key_file


def classifiers() -> list[Classifier]:
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, Classifier)]


def test_the_first_model_leaves_memory_after_a_swap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file = tmp_path / "encryption.key"
    make_key_file(key_file)
    settings = Settings(
        _env_file=None, data_dir=tmp_path, encryption_key_file=key_file, telegram_token="7:token", model=STARTER
    )
    runner.upgrade(settings.database_address)
    before = len(classifiers())
    during: list[int] = []

    async def swap(running: Bot, monitor: BotMonitor) -> None:
        REGISTRY.unregister(monitor)
        during.append(len(classifiers()) - before)
        await running._model.replace(Classifier.load(STARTER))
        during.append(len(classifiers()) - before)

    monkeypatch.setattr(bot.main, "_run", swap)
    monkeypatch.setattr(bot.main, "configure_logging", lambda *_: logging.getLogger())
    bot.main.run(settings)
    assert during == [1, 1]
