"""Each run is executed exactly once, no matter which process is killed or stopped in the meantime."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis_server import RedisServer
from worker_process import WorkerHome, running_worker

from broker.queues import notify_worker
from storage.db.database import Database
from storage.db.states import RunKind, RunState, Trigger
from storage.models import registry
from storage.training import runs
from tests.worker_runs import ADMIN, expire_lease, group_of, live, opened_database, run_of, start_run, wait_for_end_of


def test_a_run_whose_trainer_dies_is_retried(home: WorkerHome, opened: Database) -> None:
    with running_worker(home, "--beat") as worker:
        run_id, trainer = start_run(home, opened, worker)
        trainer.order("die")
        worker.wait_for("The trainer died")
        worker.wait_for(f"Run {run_id} started, attempt 2")
        home.trainer().order("better")
        worker.wait_for(f"Run {run_id} ended: promoted")
    assert live(opened) == f"run-{run_id}"


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
