"""The worker's metrics and readiness, with real databases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from prometheus_client import CollectorRegistry

from core.settings import Settings
from storage.db.database import Database
from storage.db.states import RunKind, RunState, Trigger, Vote
from storage.feedback.votes import record_vote
from storage.models import instances
from storage.training import runs
from worker.monitoring import WorkerMonitor


@pytest.fixture
def settings(database_url: str, keys: tuple[str, ...], tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, database_url=database_url, encryption_key=keys[0])  # type: ignore[arg-type]


def test_metrics_tell_runs_votes_bots_and_leases(
    settings: Settings, database: Database, store_review: Callable[..., Any]
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "A fine film.")
        record_vote(unit, review.person_id, review.prediction_id, Vote.WRONG)
        instances.acknowledge(unit, "a bot", 900, "one")
        instances.refuse(unit, "a bot", "two", "It is broken.")
        ended = runs.claim(unit, runs.request_run(unit, RunKind.FULL_RUN, Trigger.ADMIN).run.id, "a worker")
        assert ended is not None
        runs.finish(unit, ended, RunState.HELD)
        lease = runs.claim(unit, runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.SCHEDULE).run.id, "a worker")
        assert lease is not None
        runs.record_progress(unit, lease, runs.RunProgress(step=3, steps=12, epochs=2, samples_per_second=5.0))
        now = unit.now().timestamp()
    read = registry(settings).get_sample_value
    assert (read("thumbs_database_up"), read("thumbs_broker_up"), read("thumbs_run_messages")) == (1, 1, 0)
    assert [read("thumbs_runs", {"state": state}) for state in ("held", "running", "promoted")] == [1, 1, 0]
    assert [read("thumbs_votes", {"vote": vote}) for vote in ("wrong", "right")] == [1, 0]
    assert read("thumbs_bots", {"version": "one"}) == 1
    assert read("thumbs_model_refusals") == 1
    assert (read("thumbs_run_step"), read("thumbs_run_steps")) == (3, 12)
    assert read("thumbs_run_lease_expiry_seconds") == pytest.approx(now + runs.LEASE_SECONDS, abs=5)


def test_a_working_database_and_broker_are_ready(settings: Settings) -> None:
    assert WorkerMonitor(settings).ready() == {"database": None, "broker": None}


def test_what_does_not_respond_is_named_and_its_metrics_are_left_out(tmp_path: Path) -> None:
    unreachable = Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url="postgresql://u@127.0.0.1:1/thumbs",
        encryption_key=Fernet.generate_key().decode(),  # type: ignore[arg-type]
        broker_url="redis://127.0.0.1:1",  # type: ignore[arg-type]
    )
    problems = WorkerMonitor(unreachable).ready()
    assert "127.0.0.1" in (problems["database"] or "")
    assert "127.0.0.1:1" in (problems["broker"] or "")
    read = registry(unreachable).get_sample_value
    assert (read("thumbs_database_up"), read("thumbs_broker_up")) == (0, 0)
    assert read("thumbs_run_step") is None


def registry(settings: Settings) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(WorkerMonitor(settings))
    return made
