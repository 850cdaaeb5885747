"""Starts runs on a real worker, and reads their state from the database."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update
from worker_process import SOON, StandIn, WorkerHome, WorkerProcess

from broker.queues import notify_worker
from ml.serving.artifact import Manifest, file_hashes, manifest_hash
from storage.db.column_types import utc_now
from storage.db.database import Database
from storage.db.states import Consent, RunKind, Trigger, Vote
from storage.db.tables import RunRow
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Run

ADMIN = 7


@contextmanager
def opened_database(
    home: WorkerHome, keys: tuple[str, ...], store_review: Callable[..., Any], tmp_path: Path
) -> Iterator[Database]:
    """Open a home's database, with a live model and three texts that an admin voted on."""
    database = Database.open(home.settings.database_address, keys)
    champion = tmp_path / "champion"
    champion.mkdir()
    (champion / "model.safetensors").write_bytes(b"weights that nobody loads")
    Manifest("champion", "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], file_hashes(champion)).write(champion)
    with database.unit_of_work() as unit:
        registry.register(unit, "champion", manifest_hash(champion), str(champion))
        registry.make_live(unit, "champion", "test setup")
        for text in ("A joy to watch.", "A bore to watch.", "It made me laugh."):
            review = store_review(unit, text, telegram_id=ADMIN)
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")
    yield database
    database.close()


def request_run(home: WorkerHome, database: Database) -> int:
    """Request a run in the same way as the bot does."""
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
    notify_worker(home.settings, run.id)
    return run.id


def run_of(database: Database, run_id: int) -> Run:
    with database.reading() as unit:
        return runs.get_run(unit, run_id)


def live(database: Database) -> str | None:
    with database.reading() as unit:
        version = registry.live_model(unit)
        return version.version if version else None


def start_run(home: WorkerHome, database: Database, worker: WorkerProcess) -> tuple[int, StandIn]:
    """Start a run, and return its id and its trainer, which waits for an order."""
    run_id = request_run(home, database)
    worker.wait_for(f"Run {run_id} started")
    return run_id, home.trainer()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition on the database is true."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "the condition never became true"
        threading.Event().wait(0.05)


def expire_lease(database: Database) -> None:
    """Expire the lease of a dead worker."""
    with database.unit_of_work() as unit:
        unit.change(update(RunRow).values(lease_until=utc_now() - timedelta(seconds=1)))


def wait_for_end_of(process_ids: list[int]) -> None:
    for process_id in process_ids:
        try:
            descriptor = os.pidfd_open(process_id)
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([descriptor], [], [], SOON)
        os.close(descriptor)
        assert ended, f"process {process_id} is still running"


def run_directories(home: WorkerHome) -> list[Path]:
    """Return the run directories that still exist."""
    return list((home.settings.data_dir / "work").glob("run-*"))


def group_of(leader: int) -> list[int]:
    """Return the ids of the processes in a process group."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == leader:
                found.append(int(folder.name))
        except ProcessLookupError:
            continue
    return found
