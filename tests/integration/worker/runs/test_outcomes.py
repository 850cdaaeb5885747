"""A real worker on a real broker executes a run, which ends with the gate's decision or an error."""

import time
from pathlib import Path

import httpx
from worker_process import WorkerHome, running_worker

from broker.queues import notify_worker
from ml.serving.artifact import manifest_hash
from storage.db.database import Database
from storage.db.states import RunState
from storage.models import registry
from storage.training import runs
from tests.worker_runs import ADMIN, live, request_run, run_directories, run_of, start_run, wait_for_end_of, wait_until

CANCELLED_WITHIN = 10.0


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


def test_a_worker_serves_its_metrics_and_readiness(home: WorkerHome, opened: Database) -> None:
    with running_worker(home, METRICS_PORT="0") as worker:
        line = next(line for line in worker.log if "Metrics and health are on port" in line)
        url = f"http://127.0.0.1:{int(line.split()[-1])}"
        assert httpx.get(f"{url}/ready", trust_env=False).json()["problems"] == {"database": None, "broker": None}
        assert "thumbs_runs" in httpx.get(f"{url}/metrics", trust_env=False).text


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
