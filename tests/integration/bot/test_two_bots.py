"""Two webhook bots and two workers share PostgreSQL, Redis and a store. Each run is trained once, for both bots."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bot_process import BotHome, running_bot
from playground_process import running_playground
from redis_server import RedisServer
from sqlalchemy import select
from worker_process import WorkerHome, running_worker

from broker.queues import notify_worker
from core.settings import Settings
from playground.client import PlaygroundClient
from storage.db.database import Database
from storage.db.encryption import make_key_file, read_keys
from storage.db.states import RunState
from storage.db.tables import RunRow
from storage.models import instances, registry
from storage.training import runs

ADMIN = 1
REVIEW = "Not one joke of the evening was funny, and the songs were dull, by table {number}."
SOON = 60.0

Chat = dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """The shared services, and the clients that talk to the two bots."""

    workers: WorkerHome
    database: Database
    bots: tuple[PlaygroundClient, PlaygroundClient]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def webhook_bot(folder: Path, bot_id: int, settings: dict[str, str]) -> Iterator[PlaygroundClient]:
    """Run a bot with its own folder and playground. The playground posts updates to the bot."""
    port = free_port()
    with running_playground(folder / "playground", f"{bot_id}:token-for-tests") as client:
        data_dir = folder / "bot"
        data_dir.mkdir()
        home = BotHome(
            Settings(_env_file=None, data_dir=data_dir, encryption_key_file=Path(settings["ENCRYPTION_KEY_FILE"]))
        )
        address = {"WEBHOOK_URL": f"http://127.0.0.1:{port}/hook", "WEBHOOK_PORT": str(port)}
        with running_bot(home, client, **settings, **address):
            assert client.status()["bot"]["webhook"] == address["WEBHOOK_URL"]
            yield client


@pytest.fixture
def deployment(postgres_databases: Callable[..., Any], migrated_postgres: str, tmp_path: Path) -> Iterator[Deployment]:
    with ExitStack() as running:
        key_file = tmp_path / "encryption.key"
        make_key_file(key_file)
        settings = {
            "DATABASE_URL": running.enter_context(postgres_databases(migrated_postgres)),
            "BROKER_URL": running.enter_context(RedisServer.running(tmp_path)).address,
            "ARTIFACT_STORE": str(tmp_path / "store"),
            "ENCRYPTION_KEY_FILE": str(key_file),
            "ADMIN_IDS": str(ADMIN),
            "FEEDBACK_QUORUM": "1",
            "RETRAIN_AFTER": "0",
        }
        (tmp_path / "workers").mkdir()
        workers = running.enter_context(WorkerHome.made(tmp_path / "workers", **settings))
        database = Database.open(settings["DATABASE_URL"], read_keys(workers.settings))
        running.callback(database.close)
        clients = []
        for name, bot_id in (("first", 7000001), ("second", 7000002)):
            (tmp_path / name).mkdir()
            clients.append(running.enter_context(webhook_bot(tmp_path / name, bot_id, settings)))
        first, second = clients
        yield Deployment(workers, database, (first, second))


def replies(chat: Chat) -> list[dict[str, Any]]:
    return [message for message in chat["messages"] if message["from_bot"]]


def wait_for(client: PlaygroundClient, person: int, words: str) -> dict[str, Any]:
    """Wait for a message from the bot that contains these words, and return the newest one."""

    def found(chat: Chat) -> list[dict[str, Any]]:
        return [message for message in replies(chat) if words in message["text"]]

    return found(client.wait_for_chat(lambda chat: bool(found(chat)), chat_id=person))[-1]


def correct_and_opt_in(client: PlaygroundClient, person: int) -> None:
    """Send a review, correct the verdict, consent to training and opt in to notices."""
    client.message(REVIEW.format(number=person), user_id=person)
    client.tap(wait_for(client, person, "Negative")["message_id"], "❌ Wrong", user_id=person)
    question = wait_for(client, person, "May I learn from it?")
    client.tap(question["message_id"], "Yes, learn from me", user_id=person)
    wait_for(client, person, "Shall I message you")
    client.tap(question["message_id"], "Yes, message me", user_id=person)
    wait_for(client, person, "You can turn this off with /consent")


def lease_owner(database: Database) -> int:
    """Return the process group of the worker that holds the open run's lease."""
    with database.reading() as unit:
        owner = unit.scalars(select(RunRow.lease_owner).where(RunRow.open)).one()
    assert owner is not None
    return os.getpgid(int(owner.rsplit(":", 1)[1]))


def wait_until_both_serve(database: Database, version: str) -> set[int]:
    """Wait until both bots serve a version and return their ids."""
    deadline = time.monotonic() + SOON
    while True:
        with database.reading() as unit:
            rows = instances.live_instances(unit)
        bots = {row.bot_id for row in rows if row.version == version}
        if len(bots) == 2:
            return bots
        assert time.monotonic() < deadline, rows


def test_a_run_is_trained_once_and_both_bots_serve_its_model(deployment: Deployment, tmp_path: Path) -> None:
    people = (101, 102)
    for client, person in zip(deployment.bots, people, strict=True):
        correct_and_opt_in(client, person)
    (tmp_path / "elsewhere").mkdir()
    with (
        running_worker(deployment.workers, "--queue", "fine-tuning") as one,
        running_worker(deployment.workers, "--queue", "fine-tuning", DATA_DIR=str(tmp_path / "elsewhere")) as other,
    ):
        for client in deployment.bots:
            client.message("/retrain", user_id=ADMIN)
        wait_for(deployment.bots[0], ADMIN, "Feedback round 1")
        wait_for(deployment.bots[1], ADMIN, "Feedback round 1")
        trainer = deployment.workers.trainer()
        busy, free = (one, other) if lease_owner(deployment.database) == one.process.pid else (other, one)
        notify_worker(deployment.workers.settings, 1)
        free.wait_for("Run 1 has ended or belongs to another worker")
        trainer.order("better")
        busy.wait_for("Run 1 ended: promoted")
    assert deployment.workers.no_trainer_connected()
    assert wait_until_both_serve(deployment.database, "run-1") == {7000001, 7000002}
    with deployment.database.reading() as unit:
        (run,) = runs.newest_runs(unit, 9)
        changes = [change.to_version for change in registry.changes(unit)]
    assert (run.state, run.attempts, run.candidate) == (RunState.PROMOTED, 1, "run-1")
    assert changes[0] == "run-1"
    assert changes.count("run-1") == 1
    for client, person in zip(deployment.bots, people, strict=True):
        notice = wait_for(client, person, "Model run-1 is live now, and it learned from your correction.")
        assert f"“{REVIEW.format(number=person)}”" in notice["text"]
        client.message("Every joke of the evening was funny, and the songs were a joy.", user_id=person)
        wait_for(client, person, "Positive")
        chat = replies(client.chat(person))
        assert sum("Model run-1 is live" in message["text"] for message in chat) == 1
        assert "model run-1" in chat[-1]["text"]
