"""A real worker takes a small network from votes to a decision with the real trainer, even if the trainer is killed."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from small_model import FEEDBACK, RECIPE, FineTuneResult, write_recipe
from worker_process import WorkerHome, running_worker

from broker.queues import notify_worker
from migrations import runner
from ml.serving.artifact import manifest_hash
from ml.serving.engine import Classifier
from ml.training.base_model import BaseModel
from ml.training.cross_fit import assign_folds
from storage.chat.messages import MessagePart, store_message
from storage.chat.people import upsert_person
from storage.chat.predictions import store_prediction
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, SnapshotPart, Trigger, Vote
from storage.feedback.eligibility import IMPORT_BOT_ID
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs, snapshots

ADMIN = 7
WORDS = ("gravel", "treacle", "velvet")
LONG = 60.0
# A network this small may fail where the live model passes, and a rejected candidate leaves no files to check.
LENIENT = {"GATE_IMDB_LOSS": "1", "GATE_NEGATIVE_FLIPS": "1", "GATE_BEHAVIOUR_LOSS": "1"}


@pytest.fixture
def home(fine_tuned: FineTuneResult, small_reviews: Path, tmp_path: Path) -> Iterator[WorkerHome]:
    """A worker home in which the small network is both the live model and the anchor."""
    folder = tmp_path / "home"
    folder.mkdir()
    with WorkerHome.made(
        folder,
        ENCRYPTION_KEY=Fernet.generate_key().decode(),
        ADMIN_IDS=str(ADMIN),
        ANCHOR=str(fine_tuned.job.out),
        FEEDBACK_RECIPE=str(write_recipe(tmp_path, FEEDBACK)),
        IMDB_PATH=str(small_reviews),
        RETRAIN_AFTER="0",
        TRAINING_PYTHON=sys.executable,
        **LENIENT,
    ) as made:
        yield made


@pytest.fixture
def database(home: WorkerHome, fine_tuned: FineTuneResult) -> Iterator[Database]:
    """A database in which an admin voted "wrong" on the live model's predictions for ninety texts."""
    runner.upgrade(home.settings.database_address)
    key = home.settings.encryption_key
    assert key is not None
    opened = Database.open(home.settings.database_address, (key.get_secret_value(),))
    anchor, version = fine_tuned.job.out, fine_tuned.manifest.version
    texts = [f"It was {word} all the way. That was number {number}." for number in range(30) for word in WORDS]
    verdicts = Classifier.load(anchor).classify(texts)
    with opened.unit_of_work() as unit:
        registry.register(unit, version, manifest_hash(anchor), str(anchor))
        registry.make_live(unit, version, "test setup")
        admin = upsert_person(unit, ADMIN, "Ada", "en")
        record_consent(unit, admin.id, Consent.GRANTED, "test")
        for number, (text, verdict) in enumerate(zip(texts, verdicts, strict=True)):
            message = store_message(unit, admin.id, IMPORT_BOT_ID, ADMIN, [MessagePart(number, text)])
            prediction = store_prediction(unit, message, version, verdict.label, 0.6, True, 1, (0.0, 0.1))
            record_vote(unit, admin.id, prediction, Vote.WRONG)
    yield opened
    opened.close()


def request_run(home: WorkerHome, database: Database, kind: RunKind = RunKind.FEEDBACK_ROUND) -> int:
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, kind, Trigger.ADMIN, ADMIN).run
    notify_worker(home.settings, run.id)
    return run.id


def trainer_below(worker: int) -> int:
    """Return the id of the trainer process that was started by this worker's process group."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"worker.trainer" in (folder / "cmdline").read_bytes():
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if os.getpgid(parent) == worker:
                    return int(folder.name)
        except (OSError, IndexError):
            continue
    pytest.fail("no trainer is running")


def test_corrections_become_a_published_model_even_if_the_trainer_is_killed(
    home: WorkerHome, database: Database, fine_tuned: FineTuneResult, tmp_path: Path
) -> None:
    with running_worker(home, "--beat") as worker:
        run_id = request_run(home, database)
        worker.wait_for("and is evaluating it", LONG)
        os.kill(trainer_below(worker.process.pid), signal.SIGKILL)
        worker.wait_for("The trainer died")
        worker.wait_for(f"Run {run_id} started, attempt 2")
        worker.wait_for(f"Run {run_id} ended: ", LONG)
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
        live = registry.live_model(unit)
        assert run.candidate is not None
        candidate = registry.get_version(unit, run.candidate)
    assert run.decision is not None
    assert run.state in (RunState.PROMOTED, RunState.HELD), run.decision["sentence"]
    assert run.decision["figures"]["judgements"]["texts"] > 0
    assert live is not None
    assert live.version == (run.candidate if run.state is RunState.PROMOTED else fine_tuned.manifest.version)
    folder = ArtifactStore.open(home.settings.store_address).fetch(candidate.location, tmp_path)
    assert manifest_hash(folder) == candidate.manifest_sha256
    assert Classifier.load(folder).version == run.candidate
    with database.reading() as unit:
        assert runs.chart_of(unit, run_id), "the run has a chart"


def test_a_full_run_starts_from_the_encoder_and_trains_on_reviews_and_corrections(
    home: WorkerHome, database: Database, small_base: BaseModel, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path, replace(RECIPE, name="full"))
    with running_worker(home, FULL_RECIPE=str(recipe), BASE_MODEL=str(small_base.folder)) as worker:
        run_id = request_run(home, database, RunKind.FULL_RUN)
        worker.wait_for(f"Run {run_id} ended: ", LONG)
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
        votes = snapshots.labelled_texts(unit, run_id, SnapshotPart.TRAIN)
    assert run.decision is not None, run.error
    assert run.state in (RunState.PROMOTED, RunState.HELD), run.decision["sentence"]
    with database.reading() as unit:
        location = registry.get_version(unit, run.candidate or "").location
    manifest = Classifier.load(ArtifactStore.open(home.settings.store_address).fetch(location, tmp_path)).manifest
    assert "anchor" not in manifest.data
    set_apart = int((assign_folds([vote.group for vote in votes]) == 0).sum())
    corrections = manifest.data["corrections"]["judgements"]
    assert 0 < corrections == len(votes) - set_apart < len(votes)
    assert run.decision["figures"]["judgements"]["texts"] >= set_apart
    assert manifest.data["train"]["reviews"] > corrections


def test_without_tensorflow_a_run_fails_with_a_helpful_error(home: WorkerHome, database: Database) -> None:
    bare = home.settings.data_dir / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n', encoding="ascii")  # no site-packages
    bare.chmod(0o755)
    with running_worker(home, TRAINING_PYTHON=str(bare)) as worker:
        run_id = request_run(home, database)
        worker.wait_for(f"Run {run_id} ended: failed")
    with database.reading() as unit:
        run = runs.get_run(unit, run_id)
    assert run.error is not None
    assert run.error.startswith("The thumbs worker command needs keras")
