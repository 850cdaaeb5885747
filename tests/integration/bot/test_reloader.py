"""The bot follows the registry: it swaps models, reports the swap, refuses broken models, and loses no text."""

import asyncio
import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pytest
from paths import STARTER

from bot.database import AsyncDatabase
from bot.serving import model_files, reloader
from bot.serving.live_model import LiveModel
from bot.serving.loader import ModelLoader, initial_model
from bot.serving.reloader import ModelReloader
from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import MANIFEST, Manifest, file_hashes, manifest_hash
from ml.serving.engine import Classifier, Engine, Outputs
from storage.db.database import Database
from storage.errors import StoreUnusable
from storage.models import instances, registry
from storage.models.instances import BotInstance
from storage.models.registry import ModelVersion

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


def make_live(database: Database, version: str) -> None:
    with database.unit_of_work() as unit:
        registry.make_live(unit, version, "a test says so")


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


def published(folder: Path, version: str) -> Path:
    """Publish the starter under a different version."""
    folder.mkdir(parents=True)
    for path in STARTER.iterdir():
        if path.name != MANIFEST:
            os.link(path, folder / path.name)
    replace(Manifest.read(STARTER), version=version).write(folder)
    return folder


def out_of_memory(*_: object, **__: object) -> Engine:
    raise MemoryError


def empty_vocabulary(folder: Path) -> None:
    """Publish the model with a tokenizer that raises a bare Exception when it reads a text."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"]["vocab"] = {}
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    replace(Manifest.read(folder), files=file_hashes(folder)).write(folder)


def truncate(folder: Path) -> None:
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content[:-1])


def corrupt(folder: Path) -> None:
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.unlink()
    weights.write_bytes(content)


def replace_model(folder: Path) -> None:
    """Put a valid model in place of the registered model."""
    shutil.rmtree(folder)
    published(folder, "foreign")


def remove_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "var", model=STARTER)


def registered(database: Database, folder: Path, version: str) -> ModelVersion:
    with database.unit_of_work() as unit:
        registry.register(unit, version, manifest_hash(folder), folder.name)
        return registry.get_version(unit, version)


async def test_a_model_that_breaks_while_loading_is_refused_with_a_reason(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = initial_model(database, settings).classifier
    row = registered(database, published(settings.data_dir / "models" / "run1", "run-1"), "run-1")
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


def test_a_version_in_the_store_is_loaded(database: Database, settings: Settings) -> None:
    row = registered(database, published(settings.data_dir / "models" / "run1", "run-1"), "run-1")
    (verdict,) = ModelLoader(settings).load(row).classify(["A joy from start to finish."])
    assert (verdict.label, verdict.version) == ("Positive", "run-1")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "model.safetensors is not the file that was published"),
        (corrupt, "model.safetensors is not the file that was published"),
        (replace_model, "it is not the version run-1 in the registry"),
        (remove_manifest, "manifest.json cannot be read"),
    ],
)
def test_a_damaged_or_different_artifact_is_refused_with_one_sentence(
    database: Database, settings: Settings, damage: Any, reason: str
) -> None:
    folder = published(settings.data_dir / "models" / "run1", "run-1")
    row = registered(database, folder, "run-1")
    damage(folder)
    with pytest.raises(UnusableArtifact) as refused:
        ModelLoader(settings).load(row)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_full_disk_makes_a_model_refused_for_a_while(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = registered(database, published(settings.data_dir / "models" / "run1", "run-1"), "run-1")

    def full_disk(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(model_files, "TemporaryDirectory", full_disk)
    with pytest.raises(StoreUnusable, match="No space left on device"):
        ModelLoader(settings).load(row)


def test_the_first_start_makes_the_shipped_model_live(database: Database, settings: Settings) -> None:
    initial = initial_model(database, settings)
    with database.reading() as unit:
        live = registry.live_model(unit)
        change = registry.changes(unit, 1)[0]
    assert live is not None
    assert (initial.classifier.version, initial.refusal) == (live.version, None)
    assert (change.who, change.to_version) == (None, live.version)


def test_a_later_start_loads_the_live_version(database: Database, settings: Settings) -> None:
    shipped = initial_model(database, settings).classifier.version
    registered(database, published(settings.data_dir / "models" / "run1", "run-1"), "run-1")
    make_live(database, "run-1")
    again = initial_model(database, settings)
    assert (again.classifier.version, again.refusal) == ("run-1", None)
    with database.reading() as unit:
        assert {version.version for version in registry.versions(unit)} == {shipped, "run-1"}
        assert registry.live_model(unit) == registry.get_version(unit, "run-1")


@pytest.mark.parametrize("both", [False, True], ids=["the live one is broken", "the one before it too"])
def test_a_start_with_a_broken_live_version_falls_back_and_reports_it(
    database: Database, settings: Settings, both: bool
) -> None:
    shipped = initial_model(database, settings).classifier.version
    for number in (1, 2):
        folder = published(settings.data_dir / "models" / f"run{number}", f"run-{number}")
        registered(database, folder, f"run-{number}")
        make_live(database, f"run-{number}")
        if number == 2 or both:
            truncate(folder)
    initial = initial_model(database, settings)
    assert initial.classifier.version == (shipped if both else "run-1")
    assert initial.refusal is not None
    assert initial.refusal.model.version == "run-2"
    assert "is not the file that was published" in initial.refusal.reason


def test_a_start_survives_a_live_model_that_breaks_with_an_error_of_a_library(
    database: Database, settings: Settings
) -> None:
    shipped = initial_model(database, settings).classifier.version
    folder = published(settings.data_dir / "models" / "run1", "run-1")
    empty_vocabulary(folder)
    registered(database, folder, "run-1")
    make_live(database, "run-1")
    initial = initial_model(database, settings)
    assert initial.classifier.version == shipped
    assert initial.refusal is not None
    assert "loading it failed with Exception" in initial.refusal.reason


def test_a_start_without_any_usable_model_ends_with_a_sentence(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    folder = published(tmp_path / "starter", "one")
    empty_vocabulary(folder)
    alone = settings.model_copy(update={"model": folder})
    with pytest.raises(UnusableArtifact, match="loading it failed with Exception"):
        initial_model(database, alone)
    registered(database, folder, "one")
    make_live(database, "one")
    with pytest.raises(UnusableArtifact, match="loading it failed with Exception"):
        initial_model(database, alone)


def test_a_bot_without_the_shipped_model_starts_with_the_live_one(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    initial_model(database, settings)
    registered(database, published(settings.data_dir / "models" / "run1", "run-1"), "run-1")
    make_live(database, "run-1")
    elsewhere = settings.model_copy(update={"model": tmp_path / "nowhere"})
    assert initial_model(database, elsewhere).classifier.version == "run-1"
