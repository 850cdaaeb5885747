"""The bot follows the registry: it swaps models, reports the swap, rejects broken models, and loses no text."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import pytest

from bot.database import AsyncDatabase
from bot.serving import reloader
from bot.serving.live_model import LiveModel
from bot.serving.loader import ModelLoader, initial_model
from bot.serving.reloader import ModelReloader
from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import Manifest
from ml.serving.engine import Classifier, Engine, Outputs
from storage.db.database import Database
from storage.errors import StoreUnusable
from storage.models import instances, registry
from storage.models.instances import BotInstance
from storage.models.registry import ModelVersion
from tests.published_starter import make_live, registered_run

BOT_ID = 900


@dataclass
class HeldEngine:
    """An engine that waits for the test and then calls every text positive. It has no review head."""

    open: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)
    review_head: ClassVar[None] = None

    def outputs(self, texts: Sequence[str]) -> Outputs:
        self.busy.set()
        assert self.open.wait(20), "the test never opened the engine"
        logits = np.array([[-1.0, 1.0]] * len(texts), np.float32)
        return Outputs(logits, np.ones(len(texts), np.int64), review_scores=None)


def classifier(version: str, engine: HeldEngine | None = None) -> Classifier:
    if engine is None:
        engine = HeldEngine()
        engine.open.set()
    manifest = Manifest(version, "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], {})
    return Classifier(cast("Engine", engine), manifest, Path(version))


@dataclass
class FakeLoader:
    """Loads any version, or raises ``fault``, and records the requested versions."""

    asked: list[str] = field(default_factory=list)
    fault: Exception | None = None

    def load(self, model: ModelVersion) -> Classifier:
        self.asked.append(model.version)
        if self.fault is not None:
            raise self.fault
        return classifier(model.version)


@pytest.fixture
def store(database: Database) -> Iterator[AsyncDatabase]:
    """A database with three registered versions. The first one is live."""
    with database.unit_of_work() as unit:
        for name in ("one", "two", "three"):
            registry.register(unit, name, name[0] * 64, name)
        registry.make_live(unit, "one", "a test begins")
    opened = AsyncDatabase(database)
    yield opened
    opened.close()


@pytest.fixture
def model() -> Iterator[LiveModel]:
    live = LiveModel(classifier("one"))
    yield live
    live.close()


def acknowledged(database: Database) -> BotInstance:
    with database.reading() as unit:
        return instances.live_instances(unit)[0]


async def test_the_bot_swaps_to_the_live_version_and_acknowledges_it(
    store: AsyncDatabase, model: LiveModel, database: Database
) -> None:
    reloading = ModelReloader(store, model, FakeLoader().load)
    await reloading.start(BOT_ID)
    assert acknowledged(database).version == "one"
    await reloading.poll()
    assert model.version == "one"
    make_live(database, "two")
    await reloading.poll()
    assert model.version == "two"
    row = acknowledged(database)
    assert (row.process, row.bot_id, row.version, row.refusal) == (reloading.process, BOT_ID, "two", None)
    assert (await model.verdict("A joy.")).version == "two"
    await reloading.stop()
    with database.reading() as unit:
        assert instances.live_instances(unit) == []


async def test_texts_in_progress_finish_with_the_old_model_and_later_ones_do_not_wait() -> None:
    engine = HeldEngine()
    model = LiveModel(classifier("old", engine))
    early = [asyncio.ensure_future(model.verdict(f"Text {number}.")) for number in range(5)]
    await asyncio.to_thread(engine.busy.wait, 20)
    replacing = asyncio.ensure_future(model.replace(classifier("new")))
    late = await asyncio.wait_for(model.verdict("A later text."), 20)
    assert late.version == "new"
    assert not any(answer.done() for answer in early)
    engine.open.set()
    await asyncio.wait_for(replacing, 20)
    assert [(await answer).version for answer in early] == ["old"] * 5
    model.close()


async def test_a_refused_version_is_reported_and_not_retried_until_the_live_version_changes(
    store: AsyncDatabase, model: LiveModel, database: Database
) -> None:
    loader = FakeLoader(fault=UnusableArtifact(path="two", reason="it is broken"))
    reloading = ModelReloader(store, model, loader.load)
    await reloading.start(BOT_ID)
    make_live(database, "two")
    for _ in range(3):
        await reloading.poll()
    assert loader.asked == ["two"]
    row = acknowledged(database)
    assert (row.version, row.refused_version) == ("one", "two")
    assert row.refusal == str(loader.fault)
    assert (await model.verdict("A joy.")).version == "one"
    make_live(database, "one")
    await reloading.poll()
    assert acknowledged(database).refused_version is None
    loader.fault = None
    make_live(database, "two")
    await reloading.poll()
    assert model.version == "two"
    assert acknowledged(database).refusal is None


@pytest.mark.parametrize("pause", [0.0, 60.0])
async def test_an_unavailable_store_is_retried_after_a_while(
    store: AsyncDatabase, model: LiveModel, database: Database, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    monkeypatch.setattr(reloader, "STORE_RETRY_SECONDS", pause)
    loader = FakeLoader(fault=StoreUnusable(address="far", reason="no answer"))
    reloading = ModelReloader(store, model, loader.load)
    await reloading.start(BOT_ID)
    make_live(database, "two")
    await reloading.poll()
    loader.fault = None
    await reloading.poll()
    assert loader.asked == (["two"] if pause else ["two", "two"])
    assert model.version == ("one" if pause else "two")


def out_of_memory(*_: object, **__: object) -> Engine:
    raise MemoryError


async def test_a_model_that_breaks_while_loading_is_refused_with_a_reason(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = initial_model(database, settings).classifier
    row = registered_run(database, settings)
    opened, model = AsyncDatabase(database), LiveModel(shipped)
    reloading = ModelReloader(opened, model, ModelLoader(settings).load)
    await reloading.start(BOT_ID)
    make_live(database, row.version)
    monkeypatch.setattr(Engine, "load", out_of_memory)
    for _ in range(2):
        await reloading.poll()
    refusal = acknowledged(database).refusal
    assert refusal is not None
    assert "loading it failed with MemoryError" in refusal
    assert model.version == shipped.version
    model.close()
    opened.close()
