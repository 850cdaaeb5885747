"""One attempt at a run: what comes of it when the run is stopped, or its files are not what they should be."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import MANIFEST, Manifest, file_hashes, manifest_hash
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Lease
from worker.errors import NothingLeftToLearn, RunCancelled
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measured, Paired
from worker.runs.executor import WorkerContext, execute_run
from worker.runs.job_builder import build_job, take_snapshot
from worker.runs.publication import Result, publish
from worker.runs.run_directory import RunDirectory, run_directory
from worker.trainer.protocol import Done

ADMIN = 7
SOON = 20.0
BETTER = Measured(Paired(6000, 5600, 5600, 10, 10, -0.001), Paired(100, 60, 75, 0, 15, 0.1), {}, {}, ())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "var", admin_ids=(ADMIN,), feedback_holdout=0)


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    """The store, with the live model in it."""
    return ArtifactStore.open(settings.store_address)


@pytest.fixture
def lease(database: Database, store: ArtifactStore, tmp_path: Path, remember: Callable[..., Any]) -> Lease:
    """A run that is carried out, three judged texts to learn from, and a model to do better than."""
    champion = model(tmp_path / "champion", "champion")
    location = store.put(champion, "run0-champion")
    with database.unit_of_work() as unit:
        registry.register(unit, "champion", manifest_hash(champion), location)
        registry.make_live(unit, "champion", "a test begins")
        for text in ("A joy to watch.", "A bore to watch.", "It made me laugh."):
            review = remember(unit, text, telegram_id=ADMIN)
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
        taken = runs.claim(unit, run.id, "a test")
    assert taken is not None
    return taken


def model(folder: Path, version: str) -> Path:
    """A published folder whose weights nobody loads."""
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(version.encode())
    Manifest(version, "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], file_hashes(folder)).write(folder)
    return folder


def state_of(database: Database, run_id: int) -> RunState:
    with database.reading() as unit:
        return runs.get_run(unit, run_id).state


def test_a_run_that_is_cancelled_while_its_model_is_published_goes_nowhere(
    database: Database, store: ArtifactStore, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    lease = take_snapshot(database, settings, lease)
    room = RunDirectory(tmp_path / "room", 0)
    candidate = model(room.candidate, "better")
    result = Result(Done("better", manifest_hash(candidate), BETTER), decide(BETTER, GateBounds.of(settings)), None)
    assert result.decision.outcome is RunState.PROMOTED
    with database.unit_of_work() as unit:
        assert runs.cancel(unit, lease.run.id)
    with pytest.raises(RunCancelled):
        publish(database, store, lease, room, result)
    with database.reading() as unit:
        live = registry.live_model(unit)
        assert [version.version for version in registry.versions(unit) if version.version == "better"] == []
    assert live is not None
    assert live.version == "champion"


def test_a_run_is_cancelled_while_it_waits_for_its_room(
    database: Database, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    run_id = give_back(database, lease)
    place = WorkerContext(settings, database, lambda: False)
    with run_directory(settings, 0, lambda: None):  # what a former attempt left running
        attempt = threading.Thread(target=execute_run, args=(place, run_id))
        attempt.start()
        deadline = time.monotonic() + SOON
        while state_of(database, run_id) is not RunState.RUNNING and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        with database.unit_of_work() as unit:
            assert runs.cancel(unit, run_id)
        attempt.join(SOON)
        assert not attempt.is_alive()
    assert state_of(database, run_id) is RunState.CANCELLED


def test_a_worker_that_has_to_stop_gives_a_run_back_that_waits_for_its_room(
    database: Database, settings: Settings, lease: Lease
) -> None:
    run_id = give_back(database, lease)
    with run_directory(settings, 0, lambda: None):
        execute_run(WorkerContext(settings, database, lambda: True), run_id)
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
        assert (run.state, run.attempts) == (RunState.QUEUED, 0)
        assert runs.unclaimed_runs(unit) == [run_id]


def give_back(database: Database, lease: Lease) -> int:
    """Leave the run to whoever comes; its id."""
    with database.unit_of_work() as unit:
        runs.release(unit, lease, None)
    return lease.run.id


def test_a_round_whose_texts_are_all_kept_aside_says_so(
    database: Database, store: ArtifactStore, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    aside = settings.model_copy(update={"feedback_holdout": 1.0})
    lease = take_snapshot(database, aside, lease)
    with pytest.raises(NothingLeftToLearn, match=r"every judged text that counts \(3\) is kept aside"):
        build_job(database, aside, store, lease.run, RunDirectory(tmp_path / "room", 0))


def test_a_champion_that_the_registry_does_not_know_measures_nothing(
    database: Database, store: ArtifactStore, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    lease = take_snapshot(database, settings, lease)
    build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "room", 0))
    published = settings.data_dir / "models" / "run0-champion"
    shutil.rmtree(published)
    model(published, "another, whole by itself")
    with pytest.raises(UnusableArtifact, match="it is not version champion as the registry knows it"):
        build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "other", 0))
    (published / MANIFEST).unlink()
    with pytest.raises(UnusableArtifact, match="cannot be read"):
        build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "other", 0))
