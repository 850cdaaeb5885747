"""A single attempt at a run that is stopped, or whose files are wrong or missing."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.evaluation.paired_counts import PairedCounts
from ml.serving.artifact import MANIFEST, Manifest, file_hashes, manifest_hash
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.db.tables import ModelVersionRow
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Lease
from worker.errors import RunCancelled
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measurements, PairedResult, VoteEvidence
from worker.runs import executor
from worker.runs.executor import WorkerContext, execute_run
from worker.runs.job_builder import build_job, take_snapshot
from worker.runs.publication import RunResult, publish
from worker.runs.run_directory import RunDirectory, run_directory
from worker.runs.stop_conditions import StopConditions
from worker.trainer.protocol import Done, Progress, write_event

ADMIN = 7
SOON = 20.0
BETTER = Measurements(
    PairedResult(6000, 5600, 5600, 10, 10, -0.001),
    VoteEvidence.equally_weighted(PairedCounts(100, 60, 75, 0, 15)),
    {},
    {},
    (),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "var", admin_ids=(ADMIN,))


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    """The artifact store. The ``lease`` fixture adds the live model to it."""
    return ArtifactStore.open(settings.store_address)


@pytest.fixture
def lease(database: Database, store: ArtifactStore, tmp_path: Path, store_review: Callable[..., Any]) -> Lease:
    """A claimed run, with three labelled texts for training and a live model for comparison."""
    champion = model(tmp_path / "champion", "champion")
    location = store.put(champion, "run0-champion")
    with database.unit_of_work() as unit:
        registry.register(unit, "champion", manifest_hash(champion), location)
        registry.make_live(unit, "champion", "test setup")
        for text in ("A joy to watch.", "A bore to watch.", "It made me laugh."):
            review = store_review(unit, text, telegram_id=ADMIN)
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
        claimed = runs.claim(unit, run.id, "a test")
    assert claimed is not None
    return claimed


def model(folder: Path, version: str) -> Path:
    """Publish a folder with weights that are never loaded."""
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(version.encode())
    Manifest(version, "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], file_hashes(folder)).write(folder)
    return folder


def state_of(database: Database, run_id: int) -> RunState:
    with database.reading() as unit:
        return runs.get_run(unit, run_id).state


def test_a_run_that_is_cancelled_during_publication_registers_nothing(
    database: Database, store: ArtifactStore, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    lease = take_snapshot(database, settings, lease)
    directory = RunDirectory(tmp_path / "run", 0)
    candidate = model(directory.candidate, "better")
    result = RunResult(
        Done("better", manifest_hash(candidate), BETTER, ()), decide(BETTER, GateBounds.from_settings(settings)), None
    )
    assert result.decision.outcome is RunState.PROMOTED
    with database.unit_of_work() as unit:
        assert runs.cancel(unit, lease.run.id)
    with pytest.raises(RunCancelled):
        publish(database, store, lease, directory, result)
    with database.reading() as unit:
        live = registry.live_model(unit)
        assert [version.version for version in registry.versions(unit) if version.version == "better"] == []
    assert live is not None
    assert live.version == "champion"


def test_a_run_can_be_cancelled_while_it_waits_for_its_directory(
    database: Database, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    run_id = release(database, lease)
    context = WorkerContext(settings, database, lambda: False)
    with run_directory(settings, 0, lambda: None):  # an earlier attempt is still running
        attempt = threading.Thread(target=execute_run, args=(context, run_id))
        attempt.start()
        deadline = time.monotonic() + SOON
        while state_of(database, run_id) is not RunState.RUNNING and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        with database.unit_of_work() as unit:
            assert runs.cancel(unit, run_id)
        attempt.join(SOON)
        assert not attempt.is_alive()
    assert state_of(database, run_id) is RunState.CANCELLED


def test_a_stopping_worker_releases_a_run_that_waits_for_its_directory(
    database: Database, settings: Settings, lease: Lease
) -> None:
    run_id = release(database, lease)
    with run_directory(settings, 0, lambda: None):
        execute_run(WorkerContext(settings, database, lambda: True), run_id)
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
        assert (run.state, run.attempts) == (RunState.QUEUED, 0)
        assert runs.unclaimed_runs(unit) == [run_id]


class OutOfTimeAfterOneStep(StopConditions):
    """Stop conditions for an attempt that runs out of time as soon as training has made progress."""

    def _past_deadline(self) -> bool:
        return self._progressed


def test_a_run_that_trains_for_too_long_is_continued_by_the_next_attempt(
    database: Database, settings: Settings, lease: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = tmp_path / "python"
    trainer.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "if sys.argv[1] != '-c':\n"
        "    sys.stdin.readline()\n"
        f"    print({write_event(Progress(1, 9, 1, 0.2)).strip()!r}, flush=True)\n"
        "    sys.stdin.read()\n",
        encoding="utf-8",
    )
    trainer.chmod(0o755)
    run_id = release(database, lease)
    monkeypatch.setattr(executor, "StopConditions", OutOfTimeAfterOneStep)
    context = WorkerContext(settings.model_copy(update={"training_python": trainer}), database, lambda: False)
    execute_run(context, run_id)
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
        assert (run.state, run.attempts, run.error) == (RunState.QUEUED, 0, None)
        assert runs.unclaimed_runs(unit) == [run_id]
    assert (settings.data_dir / "work" / f"run-{run_id}").is_dir(), "the checkpoint is in this folder"


def release(database: Database, lease: Lease) -> int:
    """Release the run, so that any worker can claim it, and return its id."""
    with database.unit_of_work() as unit:
        runs.release(unit, lease, None)
    return lease.run.id


def test_a_job_has_every_vote_and_the_messages_that_trained_the_live_model(
    database: Database, store: ArtifactStore, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    lease = take_snapshot(database, settings, lease)
    job = build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "run", 0))
    assert (len(job.train), job.measure, job.known) == (3, (), ())
    with database.unit_of_work() as unit:
        of_champion = update(ModelVersionRow).where(ModelVersionRow.version == lease.run.champion)
        assert unit.change(of_champion.values(run_id=lease.run.id)) == 1
    job = build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "run", 0))
    assert job.known == tuple(text.message_id for text in job.train)


def test_a_champion_that_differs_from_the_registry_is_not_used(
    database: Database, store: ArtifactStore, settings: Settings, lease: Lease, tmp_path: Path
) -> None:
    lease = take_snapshot(database, settings, lease)
    build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "run", 0))
    published = settings.data_dir / "models" / "run0-champion"
    shutil.rmtree(published)
    model(published, "another valid model")
    with pytest.raises(UnusableArtifact, match="it is not the version champion in the registry"):
        build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "other", 0))
    (published / MANIFEST).unlink()
    with pytest.raises(UnusableArtifact, match="cannot be read"):
        build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "other", 0))
