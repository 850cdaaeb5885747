"""A bot loads the live model from the store, or falls back to an earlier one and says why."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from bot.serving import model_files
from bot.serving.loader import ModelLoader, initial_model
from core.settings import Settings
from ml.errors import UnusableArtifact
from storage.db.database import Database
from storage.errors import StoreUnusable
from storage.models import registry
from tests.published_starter import (
    corrupt,
    empty_vocabulary,
    make_live,
    published,
    registered,
    registered_run,
    remove_manifest,
    replace_model,
    truncate,
)


def test_a_version_in_the_store_is_loaded(database: Database, settings: Settings) -> None:
    row = registered_run(database, settings)
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
    row = registered_run(database, settings)

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
    registered_run(database, settings)
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
    registered_run(database, settings)
    make_live(database, "run-1")
    elsewhere = settings.model_copy(update={"model": tmp_path / "nowhere"})
    assert initial_model(database, elsewhere).classifier.version == "run-1"
