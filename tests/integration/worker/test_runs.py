"""A real worker on a real broker executes each run exactly once, no matter which process is killed in the meantime."""

import os
import select
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis_server import RedisServer
from sqlalchemy import update
from worker_process import SOON, StandIn, WorkerHome, WorkerProcess, running_worker

from broker.queues import notify_worker
from ml.serving.artifact import Manifest, file_hashes, manifest_hash
from storage.db.column_types import utc_now
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.db.tables import RunRow
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Run

ADMIN = 7
CANCELLED_WITHIN = 10.0


@pytest.fixture(params=["sqlite and a folder", "PostgreSQL and Redis"])
def home(request: pytest.FixtureRequest, keys: tuple[str, ...], tmp_path: Path) -> Iterator[WorkerHome]:
    """The workers' shared home, in the smallest and the largest deployment."""
    with ExitStack() as open_things:
        if request.param == "sqlite and a folder":
            shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "thumbs.db")
            settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'thumbs.db'}"}
        else:
            template = request.getfixturevalue("migrated_postgres")
            url = open_things.enter_context(request.getfixturevalue("postgres_databases")(template))
            server = open_things.enter_context(RedisServer.running(tmp_path))
            settings = {"DATABASE_URL": url, "BROKER_URL": server.address}
        folder = tmp_path / "home"
        folder.mkdir()
        settings.update(ENCRYPTION_KEY=keys[0], ADMIN_IDS=str(ADMIN), RETRAIN_AFTER="0")
        yield open_things.enter_context(WorkerHome.made(folder, **settings))


@pytest.fixture
def opened(
    home: WorkerHome, keys: tuple[str, ...], store_review: Callable[..., Any], tmp_path: Path
) -> Iterator[Database]:
    """The home's database. See ``opened_database``."""
    with opened_database(home, keys, store_review, tmp_path) as database:
        yield database


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


def test_a_better_model_is_published_and_goes_live(home: WorkerHome, opened: Database) -> None:
    with running_worker(home, "--beat") as worker:
        run_id, trainer = start_run(home, opened, worker)
        wait_until(lambda: (run_of(opened, run_id).step, run_of(opened, run_id).steps) == (1, 2))
        trainer.order("measuring")
        wait_until(lambda: run_of(opened, run_id).state is RunState.EVALUATING)
        trainer.order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")
        worker.wait_for(f"run-{run_id} classifies 17 of 19 other test reviews correctly")
    run = run_of(opened, run_id)
    assert (run.state, run.open, run.attempts, run.champion, run.candidate) == (
        RunState.PROMOTED,
        False,
        1,
        "champion",
        f"run-{run_id}",
    )
    assert run.decision is not None
    assert run.decision["sentence"].startswith("Promoted: ")
    assert run.samples_per_second == 12.5
    with opened.reading() as unit:
        model = registry.live_model(unit)
        change = registry.changes(unit, 1)[0]
    assert model is not None
    assert (model.version, model.tested, model.tested_right) == (f"run-{run_id}", 19, 17)
    assert (change.who, change.from_version, change.to_version) == (None, "champion", f"run-{run_id}")
    assert change.why == run.decision["sentence"]
    published = home.settings.data_dir / "models" / model.location
    assert manifest_hash(published) == model.manifest_sha256
    assert run_directories(home) == []


def test_an_unproven_candidate_is_held_and_a_worse_one_is_rejected(home: WorkerHome, opened: Database) -> None:
    with running_worker(home) as worker:
        for order, state in (("few", RunState.HELD), ("worse", RunState.REJECTED), ("fail", RunState.FAILED)):
            run_id, trainer = start_run(home, opened, worker)
            trainer.order(order)
            worker.wait_for(f"Run {run_id} ended: {state}")
            assert run_of(opened, run_id).state is state
            if state is RunState.HELD:
                worker.wait_for(f"run-{run_id} classifies 17 of 19 other test reviews correctly")
            with opened.reading() as unit:
                known = {version.version: version.tested for version in registry.versions(unit)}
            assert known.get(f"run-{run_id}") == (19 if state is RunState.HELD else None)
        assert run_of(opened, run_id).error == "The small network would not learn."
    assert live(opened) == "champion"
    assert run_directories(home) == []


def test_a_run_whose_trainer_dies_is_retried(home: WorkerHome, opened: Database) -> None:
    with running_worker(home, "--beat") as worker:
        run_id, trainer = start_run(home, opened, worker)
        trainer.order("die")
        worker.wait_for("The trainer died")
        worker.wait_for(f"Run {run_id} started, attempt 2")
        home.trainer().order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")
    assert live(opened) == f"run-{run_id}"


def test_a_run_fails_after_three_attempts(home: WorkerHome, opened: Database) -> None:
    with running_worker(home) as worker:
        run_id = request_run(home, opened)
        for attempt in (1, 2, 3):
            worker.wait_for(f"Run {run_id} started, attempt {attempt}")
            home.trainer().order("die")
            worker.wait_for("The trainer died")
            notify_worker(home.settings, run_id)
        worker.wait_for(f"Run {run_id} has ended or belongs to another worker")
    run = run_of(opened, run_id)
    assert run.state is RunState.FAILED
    assert run.error == (
        "The run was started 3 times and never finished. The trainer died with exit status -9; "
        "the machine may have run out of memory."
    )
    assert run_directories(home) == []


def test_a_run_fails_with_a_sentence_if_the_store_cannot_be_written_to(
    home: WorkerHome, opened: Database, tmp_path: Path
) -> None:
    store = tmp_path / "not a folder"
    store.touch()
    with running_worker(home, ARTIFACT_STORE=str(store)) as worker:
        run_id, trainer = start_run(home, opened, worker)
        trainer.order("better")
        worker.wait_for(f"Run {run_id} ended: failed")
        assert "Traceback" not in "".join(worker.log)
    assert str(run_of(opened, run_id).error).startswith(f"The artifact store at {store} cannot be used: ")
    assert live(opened) == "champion"
    assert run_directories(home) == []


def test_a_run_is_cancelled_in_time_even_if_its_trainer_ignores_sigterm(home: WorkerHome, opened: Database) -> None:
    with running_worker(home) as worker:
        run_id, trainer = start_run(home, opened, worker)
        trainer.order("deaf")
        asked = time.monotonic()
        with opened.unit_of_work() as unit:
            assert runs.cancel(unit, run_id)
        worker.wait_for(f"Run {run_id} ended: cancelled")
        assert time.monotonic() - asked < CANCELLED_WITHIN
        wait_for_end_of([trainer.process_id])
    assert run_of(opened, run_id).state is RunState.CANCELLED
    assert run_directories(home) == []


def test_a_second_worker_skips_a_claimed_run(home: WorkerHome, opened: Database) -> None:
    with running_worker(home) as first:
        run_id, trainer = start_run(home, opened, first)
        with running_worker(home, "--queue", "fine-tuning") as second:
            skipped = f"Run {run_id} has ended or belongs to another worker"
            for _ in range(8):  # no matter which worker gets the message, the run is already claimed
                notify_worker(home.settings, run_id)
            second.wait_for(skipped)
            trainer.order("better")
            first.wait_for(f"Run {run_id} ended: promoted")
    assert home.no_trainer_connected()
    with opened.reading() as unit:
        assert [change.to_version for change in registry.changes(unit, 9)] == [f"run-{run_id}", "champion"]


def test_a_worker_that_is_told_to_stop_releases_its_run(home: WorkerHome, opened: Database) -> None:
    with running_worker(home) as worker:
        run_id, trainer = start_run(home, opened, worker)
    run = run_of(opened, run_id)
    assert (run.state, run.open, run.attempts) == (RunState.QUEUED, True, 0)
    wait_for_end_of([trainer.process_id])
    with running_worker(home, "--beat") as worker:
        worker.wait_for(f"Run {run_id} started, attempt 1")
        home.trainer().order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")


def test_a_worker_serves_its_metrics_and_readiness(home: WorkerHome, opened: Database) -> None:
    with running_worker(home, METRICS_PORT="0") as worker:
        line = next(line for line in worker.log if "Metrics and health are on port" in line)
        url = f"http://127.0.0.1:{int(line.split()[-1])}"
        assert httpx.get(f"{url}/ready", trust_env=False).json()["problems"] == {"database": None, "broker": None}
        assert "thumbs_runs" in httpx.get(f"{url}/metrics", trust_env=False).text


def test_the_processes_of_a_killed_worker_end_and_another_worker_retries_the_run(
    home: WorkerHome, opened: Database
) -> None:
    with running_worker(home, "--beat") as worker:
        run_id, trainer = start_run(home, opened, worker)
        processes = group_of(worker.process.pid)
        assert len(processes) >= 4, "the worker, two task processes, and the beat"
        worker.process.kill()
        wait_for_end_of([*processes, trainer.process_id])
    expire_lease(opened)
    with running_worker(home, "--beat") as worker:
        worker.wait_for(f"Run {run_id} started")
        home.trainer().order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")


def test_a_run_is_retried_after_all_processes_of_its_worker_are_killed(home: WorkerHome, opened: Database) -> None:
    with running_worker(home, "--beat") as worker:
        run_id, trainer = start_run(home, opened, worker)
        os.killpg(worker.process.pid, signal.SIGKILL)
        wait_for_end_of([trainer.process_id])
    expire_lease(opened)
    with running_worker(home, "--beat") as worker:
        worker.wait_for(f"Run {run_id} started, attempt 2")
        home.trainer().order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")
    assert live(opened) == f"run-{run_id}"


def test_a_worker_survives_the_death_of_its_idle_task_processes(home: WorkerHome, opened: Database) -> None:
    with running_worker(home) as worker:
        # After "ready.", Celery checks once that all its processes are alive. A handled message shows that the check is
        # over.
        notify_worker(home.settings, 0)
        worker.wait_for("Run 0 has ended")
        for child in set(group_of(worker.process.pid)) - {worker.process.pid}:
            os.kill(child, signal.SIGKILL)
            worker.wait_for("(SIGKILL)")
        run_id, trainer = start_run(home, opened, worker)
        trainer.order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")


def test_a_candidate_is_held_if_the_live_model_changed_during_its_run(home: WorkerHome, opened: Database) -> None:
    with running_worker(home) as worker:
        run_id, trainer = start_run(home, opened, worker)
        with opened.unit_of_work() as unit:
            registry.make_live(unit, "one", "an admin rolled back", ADMIN)
        trainer.order("better")
        worker.wait_for(f"Run {run_id} ended: held")
    run = run_of(opened, run_id)
    assert run.decision is not None
    assert run.decision["sentence"] == (
        "Held: the live model changed from champion during this run, so the candidate must be compared again."
    )
    assert live(opened) == "one"


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


def test_a_worker_reconnects_when_its_broker_is_back(
    keys: tuple[str, ...], tmp_path: Path, migrated_sqlite: Path, store_review: Callable[..., Any]
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'thumbs.db'}", "ENCRYPTION_KEY": keys[0]}
    settings |= {"ADMIN_IDS": str(ADMIN), "RETRAIN_AFTER": "0"}
    (tmp_path / "home").mkdir()
    with (
        RedisServer.running(tmp_path) as redis,
        WorkerHome.made(tmp_path / "home", BROKER_URL=redis.address, **settings) as home,
        opened_database(home, keys, store_review, tmp_path) as database,
        running_worker(home, "--beat") as worker,
    ):
        run_id, trainer = start_run(home, database, worker)
        redis.stop()
        worker.wait_for("The broker cannot be used")
        trainer.order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")
        redis.start()
        with database.unit_of_work() as unit:  # no message is sent except by the sweep
            again = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
        worker.wait_for(f"Run {again.id} started")
        home.trainer().order("few")
        worker.wait_for(f"Run {again.id} ended: held")
    assert "Traceback" not in "".join(worker.log)
    assert sum("The broker can" in line for line in worker.log) == 2
