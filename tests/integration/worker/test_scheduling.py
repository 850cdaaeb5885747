"""What workers do between runs: start what is due, tell of lost runs again, and remove old models."""

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
from worker.runs.scheduling import start_due, unclaimed_runs

ADMIN = 7
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def judged(database: Database, remember: Callable[..., Any]) -> None:
    """Three texts that an admin judged, written today."""
    with database.unit_of_work() as unit:
        for text in ("A joy to watch.", "A bore to watch.", "It made me laugh."):
            review = remember(unit, text, telegram_id=ADMIN)
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")


def settings(tmp_path: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, admin_ids=(ADMIN,), **given)


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize(
    ("given", "later", "trigger"),
    [
        ({"retrain_after": 3}, timedelta(0), Trigger.JUDGEMENTS),
        ({"retrain_after": 4}, timedelta(0), None),
        ({"retrain_after": 0, "retrain_days": 7}, timedelta(days=6), None),
        ({"retrain_after": 0, "retrain_days": 7}, timedelta(days=8), Trigger.SCHEDULE),
        ({"retrain_after": 0, "retrain_days": 0}, timedelta(days=999), None),
    ],
)
def test_a_round_starts_by_itself_after_so_many_judgements_or_days(
    given: dict[str, int], later: timedelta, trigger: Trigger | None, database: Database, tmp_path: Path
) -> None:
    run = start_due(database, settings(tmp_path, **given), datetime.now(UTC) + later)
    assert (run.trigger if run else None) == trigger
    assert unclaimed_runs(database) == ([run.id] if run else [])


def test_without_a_judgement_nothing_is_ever_due(database: Database, tmp_path: Path) -> None:
    with database.unit_of_work() as unit:
        registry.register(unit, "one", "0" * 64, "models/one")
    assert start_due(database, settings(tmp_path, retrain_after=1), datetime.now(UTC) + timedelta(days=99)) is None


@pytest.mark.usefixtures("judged")
def test_an_open_run_is_enough_and_one_that_broke_off_is_not_repeated_at_once(
    database: Database, tmp_path: Path
) -> None:
    due = settings(tmp_path, retrain_after=1)
    first = start_due(database, due, datetime.now(UTC))
    assert first is not None
    assert start_due(database, due, datetime.now(UTC)) is None
    end(database, first.id, due, RunState.FAILED)
    assert unclaimed_runs(database) == []
    assert start_due(database, due, datetime.now(UTC) + timedelta(hours=1)) is None
    again = start_due(database, due, datetime.now(UTC) + timedelta(hours=13))
    assert again is not None, "what the first was to learn is still to be learnt"
    assert again.id > first.id
    end(database, again.id, due, RunState.HELD)
    assert start_due(database, due, datetime.now(UTC) + timedelta(hours=26)) is None


def end(database: Database, run_id: int, due: Settings, state: RunState) -> None:
    """Carry a run out as far as to its snapshot, and end it."""
    with database.unit_of_work() as unit:
        lease = runs.claim(unit, run_id, "a worker")
        assert lease is not None
        snapshots.create_snapshot(unit, lease, EligibilityRules.of(due), frozenset(due.admin_ids), "one")
        runs.finish(unit, lease, state)


def test_a_run_that_is_given_back_counts_only_when_it_was_to_blame(database: Database) -> None:
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        for blame, attempts in ((None, 0), ("It died.", 1)):
            lease = runs.claim(unit, run.id, "a worker")
            assert lease is not None
            runs.release(unit, lease, blame)
            found = runs.get_run(unit, run.id)
            assert (found.state, found.attempts) == (RunState.QUEUED, attempts)
            with pytest.raises(LeaseLost):  # a renewal that was on its way
                runs.renew(unit, lease)
    assert unclaimed_runs(database) == [run.id]


def publish(database: Database, store: ArtifactStore, folder: Path, version: str, minute: int) -> str:
    """Put a small model into the store and the registry."""
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


def test_the_live_one_the_anchor_and_the_newest_stay(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    (tmp_path / "sources").mkdir()
    at = {
        name: publish(database, store, tmp_path / "sources", name, minute)
        for minute, name in enumerate(["anchor", "live", "old", "older", "newer", "newest"])
    }
    with database.unit_of_work() as unit:
        registry.make_live(unit, "live", "a test")
    kept = settings(tmp_path, keep_models=2, anchor=tmp_path / "sources" / "anchor", model=tmp_path / "elsewhere")
    assert set(prune(database, store, kept)) == {"old", "older"}
    assert store.names() == sorted(at[name] for name in ("anchor", "live", "newer", "newest"))
    with database.reading() as unit:
        gone = {version.version for version in registry.versions(unit) if version.removed_at}
    assert gone == {"old", "older"}
    assert prune(database, store, kept) == []


def test_the_model_before_the_live_one_stays_to_go_back_to(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    (tmp_path / "sources").mkdir()
    for minute, name in enumerate(["before", "held", "later", "live"]):
        publish(database, store, tmp_path / "sources", name, minute)
    with database.unit_of_work() as unit:
        for name in ("before", "live"):
            registry.make_live(unit, name, "a test")
    assert prune(database, store, settings(tmp_path, keep_models=1, model=tmp_path / "none")) == ["held"]
    with database.reading() as unit:
        assert [version.version for version in registry.earlier_live_models(unit)] == ["before"]


def test_a_published_model_that_model_names_stays_where_it_is(database: Database, tmp_path: Path) -> None:
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
    own = settings(tmp_path, model=tmp_path / "store" / location)
    assert prune(database, store, own) == []
    assert store.names() == [location]
    with database.unit_of_work() as unit:  # another database, which only knows the model by MODEL's path
        unit.change(update(ModelVersionRow).values(run_id=None, location=str(tmp_path / "store" / location)))
    prune(database, store, own)
    assert store.names() == [location]


def test_a_model_outside_the_store_and_what_others_put_there_stay(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    starter = tmp_path / "starter"
    starter.mkdir()
    (tmp_path / "store" / "mine").mkdir(parents=True)
    with database.unit_of_work() as unit:
        registry.register(unit, "starter", "0" * 64, str(starter))
    assert prune(database, store, settings(tmp_path, keep_models=1)) == []
    assert starter.is_dir()
    assert store.names() == ["mine"]


def test_what_a_killed_publication_left_goes_once_its_run_has_ended(database: Database, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
    for name in (f"run{run.id}-one-0123", f".run{run.id}-one-0123-abc.part"):
        (tmp_path / "store" / name).mkdir(parents=True)
    plain = settings(tmp_path)
    prune(database, store, plain)
    assert len(store.names()) == 2
    with database.unit_of_work() as unit:
        assert runs.cancel(unit, run.id)
    prune(database, store, plain)
    assert store.names() == []
