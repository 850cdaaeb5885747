"""Fixtures for backups: an installation, a place to restore it to, and a backup of it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from storage.chat import inbox, outbox
from storage.chat.outbox import Draft
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.db.tables import DayRow
from storage.feedback.votes import record_vote
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import make_live, mark_removed, register
from storage.privacy.consent import record_consent
from storage.training import runs
from tests.backup_archives import ADA, BEN, BOT, command


@pytest.fixture
def environment(database_url: str, keys: tuple[str, ...], tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def elsewhere(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Settings for an installation without a database."""
    folder = tmp_path / "elsewhere"
    return {**environment, "DATABASE_URL": f"sqlite:///{folder / 'thumbs.db'}", "DATA_DIR": str(folder)}


@pytest.fixture
def backup(environment: dict[str, str], database: Database, store_review: Callable[..., Any], tmp_path: Path) -> Path:
    """A backup with one review, a pending update, and a model."""
    with database.unit_of_work() as unit:
        store_review(unit, "A wonderful film.", telegram_id=ADA)
        mark_removed(unit, "one")  # the model that the review was stored with, which has no files
        inbox.receive(unit, BOT, 1, ADA, '{"update_id": 1}')
        publish(tmp_path, unit)
    return backed_up(environment, tmp_path)


@pytest.fixture
def full_backup(
    environment: dict[str, str], database: Database, store_review: Callable[..., Any], tmp_path: Path
) -> Path:
    """A backup with people, reviews, votes, a run with its model, and updates and replies in every state."""
    with database.unit_of_work() as unit:
        ada = store_review(unit, "A wonderful film.", telegram_id=ADA)
        ben = store_review(unit, "A dull film.", telegram_id=BEN)
        mark_removed(unit, "one")  # the model that the reviews were stored with, which has no files
        record_vote(unit, ada.person_id, ada.prediction_id, Vote.WRONG)
        record_consent(unit, ben.person_id, Consent.GRANTED, "1")
        lease = runs.claim(unit, runs.request_run(unit, RunKind.FULL_RUN, Trigger.ADMIN, ADA).run.id, "a worker")
        assert lease is not None
        runs.finish(unit, lease, RunState.HELD, decision={"sentence": "Held."}, card=b"\x89PNG")
        publish(tmp_path, unit, lease.run.id)
        make_live(unit, "two", "it is better")
        for number, state in enumerate(("pending", "handled")):
            inbox.receive(unit, BOT, number, ADA, f'{{"update_id": {number}}}')
            if state == "handled":
                inbox.finish(unit, BOT, number)
        for telegram_id in (ADA, BEN):
            outbox.enqueue(unit, Draft(BOT, telegram_id, {"text": "Positive"}, None))
        outbox.mark_sent(unit, outbox.enqueue(unit, Draft(BOT, ADA, {"text": "Negative"}, None)), 5)
        unit.execute(unit.insert(DayRow).values(day=date(2026, 11, 28), messages=2, people=2))
    return backed_up(environment, tmp_path)


def backed_up(environment: dict[str, str], tmp_path: Path) -> Path:
    path = tmp_path / "thumbs.tar"
    made = command(environment, "backup", "--out", path)
    assert made.exit_code == 0, made.output
    return path


def publish(tmp_path: Path, unit: UnitOfWork, run_id: int | None = None) -> None:
    """Store a model whose folder in the store also contains a hidden file and a subfolder."""
    built = tmp_path / "built"
    built.mkdir()
    (built / "manifest.json").write_text("{}", encoding="ascii")
    location = ArtifactStore.open(str(tmp_path / "data" / "models")).put(built, "two")
    register(unit, "two", "1" * 64, location, run_id=run_id)
    stored = tmp_path / "data" / "models" / "two"
    (stored / ".DS_Store").write_text("x", encoding="ascii")
    (stored / "notes").mkdir()
