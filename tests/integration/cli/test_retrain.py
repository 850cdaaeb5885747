"""``thumbs retrain`` as a user runs it. The test plays the worker and writes the rows."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Lease, Run, RunProgress

SOON = 30.0
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(database_url: str, keys: tuple[str, ...], tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts the command on the test's database."""
    names = {name.upper() for name in Settings.model_fields}
    others = {name: value for name, value in os.environ.items() if name not in names}
    own = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path / "var")}
    started: list[subprocess.Popen[str]] = []

    def run(*words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "cli.main", "retrain", *words]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env={**others, **own}, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=SOON)
    return process.returncode, out, err


def wait_for_run(database: Database) -> Run:
    """Wait until the command has requested a run, and return the run."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        with database.reading() as unit:
            run = runs.open_run(unit)
        if run is not None:
            return run
        threading.Event().wait(0.05)
    raise TimeoutError("the command requested no run")


def claim_run(database: Database) -> Lease:
    run = wait_for_run(database)
    with database.unit_of_work() as unit:
        lease = runs.claim(unit, run.id, "the test")
        assert lease is not None
        runs.record_progress(unit, lease, RunProgress(1, 2, 1, 20.0))
    return lease


def test_a_run_is_queued_and_a_second_request_joins_it(start: Start, database: Database, tmp_path: Path) -> None:
    status, out, _ = finish(start("--full", "--json"))
    run = json.loads(out)
    assert (status, run["kind"], run["state"], run["trigger"]) == (0, "full_run", "queued", "admin")
    assert wait_for_run(database).id == run["id"]
    assert len(list((tmp_path / "var" / "broker" / "messages").iterdir())) == 1, "a worker was notified"
    status, out, err = finish(start("--full"))
    assert (status, out) == (0, "")
    assert err == f"Run {run['id']} (full run) was already in progress; this command has joined it.\n"
    assert finish(start())[0] == 1, "the run that was joined is not a feedback round"


def test_wait_prints_the_outcome(start: Start, database: Database) -> None:
    process = start("--full", "--wait")
    lease = claim_run(database)
    decision = {"sentence": "Held: no better on feedback."}
    with database.unit_of_work() as unit:
        runs.finish(unit, lease, RunState.HELD, candidate="seven", decision=decision)
    status, out, _ = finish(process)
    assert (status, out) == (0, "Held: no better on feedback. The new model is seven.\n")


@pytest.mark.parametrize(
    ("state", "error", "sentence"),
    [(RunState.FAILED, "The disk is full.", "failed: The disk is full."), (RunState.CANCELLED, None, "was cancelled.")],
)
def test_a_failed_or_cancelled_run_sets_the_exit_status(
    start: Start, database: Database, state: RunState, error: str | None, sentence: str
) -> None:
    process = start("--full", "--wait")
    lease = claim_run(database)
    with database.unit_of_work() as unit:
        runs.finish(unit, lease, state, error=error)
    assert finish(process)[:2] == (1, f"Run {lease.run.id} {sentence}\n")


def test_ctrl_c_ends_the_waiting_but_not_the_run(start: Start, database: Database) -> None:
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.SCHEDULE).run
    process = start("--wait")
    assert process.stderr is not None
    assert (
        process.stderr.readline()
        == f"Run {run.id} (feedback round) was already in progress; this command has joined it.\n"
    )
    process.send_signal(signal.SIGINT)
    status, out, err = finish(process)
    assert (status, out) == (130, "")
    assert f"Run {run.id} is queued and will continue without this command." in err
    assert wait_for_run(database).cancel_asked is False


def test_a_round_first_says_what_it_will_be_able_to_tell(
    start: Start, database: Database, store_review: Callable[..., Any]
) -> None:
    status, out, err = finish(start())
    assert (status, out) == (1, "")
    assert "There is nothing to train on yet." in err
    with database.unit_of_work() as unit:
        assert runs.open_run(unit) is None
        for telegram_id in (7, 8):
            person = store_review(unit, "A joy to watch.", telegram_id=telegram_id)
            record_vote(unit, person.person_id, person.prediction_id, Vote.RIGHT)
            record_consent(unit, person.person_id, Consent.GRANTED, "test")
    status, _, err = finish(start())
    assert status == 0
    assert "Usable votes: 1. That's enough to learn from, but not enough to prove that the new model is better." in err
    assert wait_for_run(database).kind is RunKind.FEEDBACK_ROUND
