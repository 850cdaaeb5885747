"""A program update replaces the starter in its folder."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from bot.serving.loader import ModelLoader, initial_model
from cli.corrections.importer import import_corrections
from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import MANIFEST, Manifest, is_replaced, manifest_hash, verified_manifest
from ml.serving.engine import Classifier, Engine, Outputs
from storage.db.database import Database
from storage.db.states import Consent, RunKind, Trigger, Vote
from storage.errors import ModelRemoved
from storage.feedback.bulk_import import ImportedVote
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Lease
from worker.runs.job_builder import build_job, take_snapshot
from worker.runs.run_directory import RunDirectory
from worker.trainer.protocol import Job

ADMIN = 7


class PositiveEngine:
    """An engine that classifies every text as positive. It has no review head."""

    review_head = None

    def outputs(self, texts: Sequence[str]) -> Outputs:
        logits = np.array([[-1.0, 1.0]] * len(texts), np.float32)
        return Outputs(logits, np.ones(len(texts), np.int64), review_scores=None)


@pytest.fixture(autouse=True)
def _load_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load a folder's manifest but not its weights, which tests/e2e/test_older_demo.py loads instead."""

    def load(folder: Path, _: int = 0) -> Classifier:
        return Classifier(cast("Engine", PositiveEngine()), verified_manifest(folder), folder)

    monkeypatch.setattr(Classifier, "load", load)


def ship(folder: Path, version: str) -> Path:
    """Put this version of the model into ``folder``, as a program update does."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    Manifest(version, "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], {}).write(folder)
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings in which MODEL is the folder with version "old"."""
    folder = ship(tmp_path / "program" / "starter", "old")
    return Settings(_env_file=None, data_dir=tmp_path / "var", model=folder, anchor=folder, admin_ids=(ADMIN,))


@pytest.fixture
def served(database: Database, settings: Settings) -> Database:
    """A database in which the shipped model is live."""
    assert initial_model(database, settings).classifier.version == "old"
    return database


def live(database: Database) -> str:
    with database.reading() as unit:
        model = registry.live_model(unit)
    assert model is not None
    return model.version


def removed(database: Database) -> set[str]:
    with database.reading() as unit:
        return {model.version for model in registry.versions(unit) if model.removed_at is not None}


def promote_trained(database: Database, settings: Settings) -> None:
    """Promote a model from a training run."""
    folder = ship(settings.data_dir / "models" / "trained", "trained")
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
        registry.register(unit, "trained", manifest_hash(folder), "trained", run.id)
        registry.make_live(unit, "trained", "a test says so")


def test_a_start_after_the_update_makes_the_new_starter_live(served: Database, settings: Settings) -> None:
    ship(settings.model, "new")
    initial = initial_model(served, settings)
    assert (initial.classifier.version, initial.refusal) == ("new", None)
    assert (live(served), removed(served)) == ("new", {"old"})
    with served.reading() as unit:
        change = registry.changes(unit, 1)[0]
        assert registry.rollback_targets(unit) == []
    assert (change.from_version, change.to_version, change.who) == ("old", "new", None)
    assert change.why == f"the files of old are no longer in {settings.model}"


def test_bots_that_start_together_record_one_change(served: Database, settings: Settings) -> None:
    ship(settings.model, "new")
    with ThreadPoolExecutor(3) as threads:
        started = list(threads.map(lambda _: initial_model(served, settings), range(3)))
    assert {(initial.classifier.version, initial.refusal) for initial in started} == {("new", None)}
    with served.reading() as unit:
        assert [change.to_version for change in registry.changes(unit)] == ["new", "old"]


def test_a_trained_model_stays_live_and_the_old_starter_is_not_offered(served: Database, settings: Settings) -> None:
    promote_trained(served, settings)
    ship(settings.model, "new")
    assert initial_model(served, settings).classifier.version == "trained"
    assert (live(served), removed(served)) == ("trained", {"old"})
    with served.unit_of_work() as unit, pytest.raises(ModelRemoved):
        registry.make_live(unit, "old", "a test says so")


def test_a_downgrade_makes_the_old_starter_live_again(served: Database, settings: Settings) -> None:
    for version in ("new", "old"):
        ship(settings.model, version)
        assert initial_model(served, settings).classifier.version == version
    assert (live(served), removed(served)) == ("old", {"new"})


def test_the_program_may_move_to_another_folder(served: Database, settings: Settings, tmp_path: Path) -> None:
    moved = settings.model_copy(update={"model": ship(tmp_path / "moved" / "starter", "old")})
    shutil.rmtree(settings.model)
    assert initial_model(served, moved).classifier.version == "old"
    assert live(served) == "old"
    with served.reading() as unit:
        assert registry.get_version(unit, "old").location == str(moved.model)


@pytest.mark.parametrize("is_mount_point", [False, True])
def test_a_missing_folder_is_refused_and_its_model_comes_back_with_it(
    served: Database, settings: Settings, tmp_path: Path, *, is_mount_point: bool
) -> None:
    moved = settings.model_copy(update={"model": ship(tmp_path / "moved" / "starter", "new")})
    unmounted = settings.model.rename(tmp_path / "unmounted")
    if is_mount_point:
        settings.model.mkdir()
    initial = initial_model(served, moved)
    assert (initial.classifier.version, live(served), removed(served)) == ("new", "old", set())
    assert initial.refusal is not None
    assert initial.refusal.transient  # so that the bot tries again
    assert f"The model folder {settings.model} cannot be used: it is missing or empty." in initial.refusal.reason
    unmounted.rename(settings.model)
    assert ModelLoader(moved).load(initial.refusal.model).version == "old"
    initial = initial_model(served, moved)
    assert (initial.classifier.version, initial.refusal) == ("old", None)


def test_a_copy_of_a_removed_model_is_only_a_fallback(served: Database, settings: Settings, tmp_path: Path) -> None:
    promote_trained(served, settings)
    with served.unit_of_work() as unit:
        registry.make_live(unit, "old", "a test says so")
        registry.mark_removed(unit, "trained")
    copy = settings.model_copy(update={"model": ship(tmp_path / "copy", "trained")})
    shutil.rmtree(settings.model)
    initial = initial_model(served, copy)
    assert initial.classifier.version == "trained"
    assert initial.refusal is not None
    assert (live(served), initial.refusal.model.version) == ("old", "old")


def test_an_update_without_a_usable_starter_changes_nothing(served: Database, settings: Settings) -> None:
    promote_trained(served, settings)
    shutil.rmtree(settings.model)
    assert initial_model(served, settings).classifier.version == "trained"
    assert (live(served), removed(served)) == ("trained", set())


def make_unreadable(folder: Path) -> None:
    """Make reading the manifest fail, even for root."""
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).mkdir()


def test_a_starter_that_cannot_be_read_changes_nothing(
    served: Database, settings: Settings, store_review: Callable[..., Any]
) -> None:
    promote_trained(served, settings)
    make_unreadable(settings.model)
    initial = initial_model(served, settings)
    assert (initial.classifier.version, initial.refusal) == ("trained", None)
    assert (live(served), removed(served)) == ("trained", set())
    lease = take_snapshot(served, settings, claimed_run(served, store_review))
    assert job_of(served, settings, lease).champion == str(settings.data_dir / "models" / "trained")


def test_a_folder_is_replaced_only_if_it_contains_another_model(tmp_path: Path) -> None:
    folder = ship(tmp_path / "starter", "old")
    assert is_replaced(folder, "0" * 64)
    assert not is_replaced(folder, manifest_hash(folder))
    assert not is_replaced(tmp_path / "absent", "0" * 64)
    make_unreadable(folder)
    assert not is_replaced(folder, "0" * 64)


def claimed_run(database: Database, store_review: Callable[..., Any]) -> Lease:
    """Request a feedback round with one labelled text and claim it."""
    with database.unit_of_work() as unit:
        review = store_review(unit, "A joy to watch.", telegram_id=ADMIN)
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
        lease = runs.claim(unit, run.id, "a test")
    assert lease is not None
    return lease


def job_of(database: Database, settings: Settings, lease: Lease) -> Job:
    store, directory = ArtifactStore.open(settings.store_address), RunDirectory(settings.data_dir / "run", 0)
    return build_job(database, settings, store, lease.run, directory)


def test_a_run_builds_its_job_with_the_new_starter_before_any_bot_has_started(
    served: Database, settings: Settings, store_review: Callable[..., Any]
) -> None:
    lease = claimed_run(served, store_review)
    ship(settings.model, "new")
    lease = take_snapshot(served, settings, lease)
    assert lease.run.champion == "new"
    assert job_of(served, settings, lease).champion == str(settings.model)
    assert live(served) == "new"


def test_a_run_that_compares_with_the_old_starter_ends_with_a_sentence(
    served: Database, settings: Settings, store_review: Callable[..., Any]
) -> None:
    lease = take_snapshot(served, settings, claimed_run(served, store_review))
    ship(settings.model, "new")
    initial_model(served, settings)
    with pytest.raises(ModelRemoved, match="The files for model version old have been removed"):
        job_of(served, settings, lease)


def test_an_import_uses_the_new_starter_before_any_bot_has_started(served: Database, settings: Settings) -> None:
    ship(settings.model, "new")
    vote = ImportedVote("ann", "A warm and funny film, wonderfully played.", "Positive")
    assert import_corrections(served, settings, [vote], None, lambda *_: None).texts == 1
    assert live(served) == "new"


def test_a_replaced_starter_is_not_taken_for_the_old_one(served: Database, settings: Settings) -> None:
    with served.reading() as unit:
        old = registry.get_version(unit, "old")
    ship(settings.model, "new")
    with pytest.raises(UnusableArtifact, match="it is not the version old in the registry"):
        ModelLoader(settings).load(old)
