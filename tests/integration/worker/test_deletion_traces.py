"""After /deleteme, no file of the bot and its workers contains what the person wrote, encrypted or not."""

import tarfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ciphertexts import encrypted_values, pieces_of
from conversation import Conversation, conversation
from redis_server import RedisServer
from typer.testing import CliRunner

from bot.sending.votes_table import votes_csv
from broker.queues import notify_worker
from cli.errors import IncompleteBackup
from cli.main import app
from core.settings import Settings
from ml.serving.artifact import Manifest, file_hashes, manifest_hash
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Lease
from worker.runs.job_builder import build_job, take_snapshot
from worker.runs.run_directory import RunDirectory, run_directory
from worker.trainer.protocol import Job

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
StoreReview = Callable[..., Any]
OTHER = 8
SECRET = "Zanzibarquokka"
LONG = f"{SECRET} was a long evening. " * 100


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose DATA_DIR also holds the SQLite file and the broker's folder."""
    return Settings(_env_file=None, data_dir=tmp_path, feedback_quorum=1)


@pytest.fixture(autouse=True)
def _live_model(tmp_path: Path, settings: Settings, database: Database) -> None:
    """Put a live model into the artifact store. Its weights are never loaded."""
    folder = tmp_path / "champion"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    Manifest("live", "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], file_hashes(folder)).write(folder)
    with database.unit_of_work() as unit:
        location = ArtifactStore.open(settings.store_address).put(folder, "live")
        registry.register(unit, "live", manifest_hash(folder), location)
        registry.make_live(unit, "live", "test setup")


def start_run(database: Database) -> Lease:
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.SCHEDULE).run
        lease = runs.claim(unit, run.id, "a test")
    assert lease is not None
    return lease


def job_of(database: Database, settings: Settings, lease: Lease, directory: RunDirectory) -> Job:
    with database.reading() as unit:
        lease = replace(lease, run=runs.get_run(unit, lease.run.id))
    lease = take_snapshot(database, settings, lease)
    return build_job(database, settings, ArtifactStore.open(settings.store_address), lease.run, directory)


def votes_of(database: Database) -> bytes:
    with database.reading() as unit:
        return votes_csv(unit, 1, frozenset())


def files_with(folder: Path, pieces: set[bytes]) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(piece in path.read_bytes() for piece in pieces)]


async def write_and_vote(chat: Conversation) -> None:
    """Send a short and a long text, vote on both, consent, and request the files that contain them."""
    for review in (f"{SECRET} was dull.", LONG):
        await chat.write(review)
        await chat.tap("❌ Wrong")
    await chat.tap("Yes, learn from me")
    await chat.write("/history")
    await chat.write("/mydata")
    await chat.write("/label")


def add_other_person(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = store_review(unit, "A text that stays.", telegram_id=OTHER)
    record_consent(unit, review.person_id, Consent.GRANTED, "1")
    record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)


async def test_what_a_deleted_person_wrote_is_in_no_file(
    *,
    database: Database,
    database_url: str,
    keys: tuple[str, ...],
    settings: Settings,
    store_review: StoreReview,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    redis = tmp_path_factory.mktemp("redis")
    with database.unit_of_work() as unit:
        add_other_person(unit, store_review)
    async with conversation(database, tmp_path, feedback_quorum=1) as chat:
        await write_and_vote(chat)
        lease = start_run(database)
        with RedisServer.running(redis) as server:
            through_redis = Settings(_env_file=None, data_dir=tmp_path, broker_url=server.address)  # type: ignore[arg-type]
            notify_worker(through_redis, lease.run.id)
        notify_worker(settings, lease.run.id)
        assert SECRET.encode() in votes_of(database)
        with run_directory(settings, lease.run.id, lambda: None) as directory:
            assert SECRET in job_of(database, settings, lease, directory).to_line()
            (directory.path / "interrupted").write_bytes(b"a checkpoint")
        with database.reading() as unit:
            noted = encrypted_values(unit, kept=("secrets",))
        assert files_with(tmp_path, pieces_of(noted)), "the test would notice if they stayed"
        await chat.write("/deleteme")
        await chat.tap("Delete everything")
    with database.reading() as unit:
        noted -= encrypted_values(unit)
    assert len(noted) > 8
    traces = pieces_of(noted) | {form for word in (SECRET, SECRET.lower()) for form in forms_of(word)}
    names = {path.parent.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names >= {"messages", f"run-{lease.run.id}", "live"}
    assert list(redis.iterdir())
    assert files_with(tmp_path, traces) == []
    assert files_with(redis, traces) == []

    assert b"A text that stays." in votes_of(database)
    assert SECRET.encode() not in votes_of(database)
    with run_directory(settings, lease.run.id, lambda: None) as directory:
        resumed = job_of(database, settings, lease, directory).to_line()
        assert "A text that stays." in resumed
        assert SECRET not in resumed
    with database.unit_of_work() as unit:
        runs.finish(unit, lease, RunState.CANCELLED)
    later = start_run(database)
    with run_directory(settings, later.run.id, lambda: None) as directory:
        assert SECRET not in job_of(database, settings, later, directory).to_line()
        assert not (tmp_path / "work" / f"run-{lease.run.id}").exists()

    environment = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path)}
    written = CliRunner().invoke(app, ["backup", "--out", str(tmp_path / "thumbs.tar")], env=environment)
    assert isinstance(written.exception, IncompleteBackup), "two models have no files"
    with tarfile.open(tmp_path / "thumbs.tar") as archive:
        assert any(member.name.endswith("messages.jsonl") for member in archive.getmembers())
    encoded = {b64encode(ciphertext)[:64] for ciphertext in noted}
    assert files_with(tmp_path, traces | encoded) == []


def forms_of(word: str) -> tuple[bytes, ...]:
    return word.encode(), word.encode("utf-16-le"), word.encode().hex().encode(), b64encode(word.encode())
