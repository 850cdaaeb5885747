"""Between runs, workers start runs that are due, find unclaimed runs, and remove old models."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from core.settings import Settings
from ml.serving.artifact import Manifest, file_hashes, manifest_hash
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.db.tables import ModelVersionRow
from storage.errors import LeaseLost
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs, snapshots
from worker.runs.model_pruning import prune
from worker.runs.scheduling import start_due_run, unclaimed_runs

ADMIN = 7
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def labelled(database: Database, store_review: Callable[..., Any]) -> None:
    """Three texts that an admin voted on, written today."""
    with database.unit_of_work() as unit:
        for text in ("A joy to watch.", "A bore to watch.", "It made me laugh."):
            review = store_review(unit, text, telegram_id=ADMIN)
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")


def settings(tmp_path: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, admin_ids=(ADMIN,), **given)


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize(
    ("given", "later", "trigger"),
    [
        ({"retrain_after": 3}, timedelta(0), Trigger.CORRECTIONS),
        ({"retrain_after": 4}, timedelta(0), None),
        ({"retrain_after": 0, "retrain_days": 7}, timedelta(days=6), None),
        ({"retrain_after": 0, "retrain_days": 7}, timedelta(days=8), Trigger.SCHEDULE),
        ({"retrain_after": 0, "retrain_days": 0}, timedelta(days=999), None),
    ],
)
def test_a_round_starts_after_enough_corrections_or_days(
    given: dict[str, int], later: timedelta, trigger: Trigger | None, database: Database, tmp_path: Path
) -> None:
    run = start_due_run(database, settings(tmp_path, **given), datetime.now(UTC) + later)
    assert (run.trigger if run else None) == trigger
    assert unclaimed_runs(database) == ([run.id] if run else [])


def test_no_run_is_due_without_corrections(database: Database, tmp_path: Path) -> None:
    with database.unit_of_work() as unit:
        registry.register(unit, "one", "0" * 64, "models/one")
    assert start_due_run(database, settings(tmp_path, retrain_after=1), datetime.now(UTC) + timedelta(days=99)) is None


@pytest.mark.usefixtures("labelled")
def test_no_run_starts_beside_an_open_one_or_soon_after_a_failed_one(database: Database, tmp_path: Path) -> None:
    due = settings(tmp_path, retrain_after=1)
    first = start_due_run(database, due, datetime.now(UTC))
    assert first is not None
    assert start_due_run(database, due, datetime.now(UTC)) is None
    end(database, first.id, due, RunState.FAILED)
    assert unclaimed_runs(database) == []
    assert start_due_run(database, due, datetime.now(UTC) + timedelta(hours=1)) is None
    again = start_due_run(database, due, datetime.now(UTC) + timedelta(hours=13))
    assert again is not None, "the corrections of the failed run are still new"
    assert again.id > first.id
    end(database, again.id, due, RunState.HELD)
    assert start_due_run(database, due, datetime.now(UTC) + timedelta(hours=26)) is None


@pytest.mark.usefixtures("labelled")
def test_a_round_starts_once_there_are_as_many_votes_as_an_admin_waits_for(database: Database, tmp_path: Path) -> None:
    never = settings(tmp_path, retrain_after=0, retrain_days=0)
    with database.unit_of_work() as unit:
        first = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
    end(database, first.id, never, RunState.HELD)
    for texts, due in ((4, False), (3, True)):
        with database.unit_of_work() as unit:
            runs.retrain_at(unit, first.id, texts)
        assert (start_due_run(database, never, datetime.now(UTC)) is not None) is due


def end(database: Database, run_id: int, due: Settings, state: RunState) -> None:
    """Claim a run, take its snapshot, and end it."""
    with database.unit_of_work() as unit:
        lease = runs.claim(unit, run_id, "a worker")
        assert lease is not None
        snapshots.create_snapshot(unit, lease, EligibilityRules.from_settings(due), frozenset(due.admin_ids), "one")
        runs.finish(unit, lease, state)


def test_a_released_attempt_counts_only_if_it_failed(database: Database) -> None:
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        for error, attempts in ((None, 0), ("It died.", 1)):
            lease = runs.claim(unit, run.id, "a worker")
            assert lease is not None
            runs.release(unit, lease, error)
            found = runs.get_run(unit, run.id)
            assert (found.state, found.attempts) == (RunState.QUEUED, attempts)
            with pytest.raises(LeaseLost):  # a renewal that was in progress
                runs.renew(unit, lease)
    assert unclaimed_runs(database) == [run.id]


def publish(database: Database, store: ArtifactStore, folder: Path, version: str, minute: int) -> str:
    """Add a small model to the store and the registry, and return its location."""
    source = folder / version
    source.mkdir()
    (source / "model.safetensors").write_bytes(version.encode())
    Manifest(version, "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], file_hashes(source)).write(source)
    location = store.put(source, f"run{minute}-{version}")
    with database.unit_of_work() as unit:
        registry.register(unit, version, manifest_hash(source), location)
        unit.change(
            update(ModelVersionRow)
            .where(ModelVersionRow.version == version)
            .values(created_at=NOW + timedelta(minutes=minute))
        )
    return location


def test_the_live_model_the_anchor_and_the_newest_models_are_kept(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    (tmp_path / "sources").mkdir()
    locations = {
        name: publish(database, store, tmp_path / "sources", name, minute)
        for minute, name in enumerate(["anchor", "live", "old", "older", "newer", "newest"])
    }
    with database.unit_of_work() as unit:
        registry.make_live(unit, "live", "a test")
    configured = settings(tmp_path, keep_models=2, anchor=tmp_path / "sources" / "anchor", model=tmp_path / "elsewhere")
    assert set(prune(database, store, configured)) == {"old", "older"}
    assert store.names() == sorted(locations[name] for name in ("anchor", "live", "newer", "newest"))
    with database.reading() as unit:
        removed = {version.version for version in registry.versions(unit) if version.removed_at}
    assert removed == {"old", "older"}
    assert prune(database, store, configured) == []


def test_the_model_before_the_live_one_is_kept_for_a_rollback(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    (tmp_path / "sources").mkdir()
    for minute, name in enumerate(["before", "held", "later", "live"]):
        publish(database, store, tmp_path / "sources", name, minute)
    with database.unit_of_work() as unit:
        for name in ("before", "live"):
            registry.make_live(unit, name, "a test")
    assert prune(database, store, settings(tmp_path, keep_models=1, model=tmp_path / "none")) == ["held"]
    with database.reading() as unit:
        assert [version.version for version in registry.rollback_targets(unit)] == ["before"]


def test_a_model_in_the_store_that_the_setting_model_names_is_kept(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    (tmp_path / "sources").mkdir()
    location = publish(database, store, tmp_path / "sources", "live", 3)
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        runs.cancel(unit, run.id)
        unit.change(update(ModelVersionRow).values(run_id=run.id))
        registry.make_live(unit, "live", "a test")
        sha256 = registry.get_version(unit, "live").manifest_sha256
        registry.register(unit, "live", sha256, str(tmp_path / "store" / location))
        assert registry.get_version(unit, "live").location == location
    configured = settings(tmp_path, model=tmp_path / "store" / location)
    assert prune(database, store, configured) == []
    assert store.names() == [location]
    with database.unit_of_work() as unit:  # as in a different database, which knows the model only by the path in MODEL
        unit.change(update(ModelVersionRow).values(run_id=None, location=str(tmp_path / "store" / location)))
    prune(database, store, configured)
    assert store.names() == [location]


def test_models_outside_the_store_and_foreign_files_in_it_are_kept(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    starter = tmp_path / "starter"
    starter.mkdir()
    (tmp_path / "store" / "mine").mkdir(parents=True)
    with database.unit_of_work() as unit:
        registry.register(unit, "starter", "0" * 64, str(starter))
    assert prune(database, store, settings(tmp_path, keep_models=1)) == []
    assert starter.is_dir()
    assert store.names() == ["mine"]


def test_an_interrupted_publication_is_removed_once_its_run_has_ended(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
    for name in (f"run{run.id}-one-0123", f".run{run.id}-one-0123-abc.part"):
        (tmp_path / "store" / name).mkdir(parents=True)
    defaults = settings(tmp_path)
    prune(database, store, defaults)
    assert len(store.names()) == 2
    with database.unit_of_work() as unit:
        assert runs.cancel(unit, run.id)
    prune(database, store, defaults)
    assert store.names() == []
