"""Despite failures, docker-compose.yml's services answer every message once, with a real PostgreSQL and Redis."""

import itertools
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from playground_process import running_playground
from stack import SOON, Container, Running, Stack, free_port

from playground.client import PlaygroundClient

REVIEW = "A splendid little book, number {number}: clever, funny and kind."
BOTS = ("first", "second")
AWAY_SECONDS = 6.0
_numbers = itertools.count(1)


@dataclass
class Deployment:
    """Two bots with one database, a beat and a housekeeper."""

    stack: Stack
    telegrams: tuple[PlaygroundClient, PlaygroundClient]
    running: dict[str, Running] = field(default_factory=dict)
    _containers: dict[str, Container] = field(default_factory=dict)
    _sent: list[tuple[PlaygroundClient, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        bots = [self.stack.bot(name, client) for name, client in zip(BOTS, self.telegrams, strict=True)]
        others = [self.stack.container(service) for service in ("beat", "housekeeper")]
        self._containers = {container.name: container for container in (*bots, *others)}

    def container(self, name: str) -> Container:
        return self._containers[name]

    def start(self, *names: str) -> None:
        """Start the containers with these names, and wait until they are ready."""
        started = [self.stack.start(self.container(name)) for name in names]
        for one in started:
            self.running[one.container.name] = one
            one.wait_until_ready()

    def stop(self, *names: str) -> None:
        for name in names:
            self.running.pop(name).stop()

    def write(self) -> None:
        """Have one person write to each bot."""
        for client in self.telegrams:
            number = next(_numbers)
            sent = client.message(REVIEW.format(number=number), user_id=1000 + number)
            self._sent.append((client, 1000 + number, sent["message_id"]))

    def expect_answers(self) -> None:
        """Wait until every message so far has a reply, and check that none has more than one."""
        for client, person, message_id in self._sent:
            client.wait_for_chat(lambda chat, to=message_id: answers(chat, to) >= 1, chat_id=person, seconds=SOON)
        deadline = time.monotonic() + SOON
        while (found := self._open_work()) != {"sent": len(self._sent)}:
            assert time.monotonic() < deadline, (found, self.logs())
        for client, person, message_id in self._sent:
            assert answers(client.chat(person), message_id) == 1

    def logs(self) -> str:
        """Return the newest lines of all containers' logs."""
        return "\n".join("".join([f"{name}\n", *running.lines()[-40:]]) for name, running in self.running.items())

    def _open_work(self) -> dict[str, int]:
        """Return how many replies are in each state, and how many updates are unhandled."""
        status = self.status()
        counts = status["replies"] | {f"{state} updates": status["updates"][state] for state in ("received", "failed")}
        return {state: count for state, count in counts.items() if count}

    def expect_health(self) -> None:
        """Wait until the health check of each container succeeds."""
        for running in self.running.values():
            self.stack.wait_until_healthy(running.container)

    def run(self, *words: str, service: str = "first") -> str:
        """Run a command in a new container, check that it succeeds, and return its output."""
        result = self.stack.run(self.container(service), *words)
        assert result.exit_code == 0, result.exception
        return result.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json"))
        return found

    def served(self) -> list[str]:
        """Return the live version, and the version that each bot serves."""
        status = self.status()
        return [status["live_version"], *(bot["version"] for bot in status["bots"])]


def answers(chat: dict[str, Any], message_id: int) -> int:
    """Return the number of messages that the bot sent in reply to one message."""
    replies = [message for message in chat["messages"] if message["from_bot"]]
    return sum(message.get("reply_to_message", {}).get("message_id") == message_id for message in replies)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("stack")
    with ExitStack() as running:
        telegrams = [
            running.enter_context(running_playground(folder / f"telegram-{bot_id}", f"{bot_id}:token-for-tests"))
            for bot_id in (7000001, 7000002)
        ]
        stack = running.enter_context(Stack.made(folder))
        migration = stack.start(stack.container("migrate"))
        assert migration.process.wait(SOON) == 0, migration.lines()
        made = Deployment(stack, (telegrams[0], telegrams[1]))
        made.start(*BOTS, "beat", "housekeeper")
        yield made


def test_both_bots_answer_and_everything_is_healthy(deployment: Deployment) -> None:
    deployment.write()
    deployment.expect_answers()
    deployment.expect_health()
    live, *served = deployment.served()
    assert served == [live, live]


def test_a_worker_for_fine_tuning_starts_and_is_healthy(deployment: Deployment) -> None:
    worker = deployment.stack.start(deployment.stack.container("worker-cpu"))
    worker.wait_until_ready()
    deployment.stack.wait_until_healthy(worker.container)
    worker.stop()


def test_a_second_bot_on_the_same_port_ends_with_a_sentence_and_harms_nobody(deployment: Deployment) -> None:
    same = replace(deployment.container("first"), name="same-port", metrics_port=free_port())
    other = deployment.stack.start(same)
    other.process.wait(SOON)
    other.wait_for("The setting WEBHOOK_PORT cannot be used")
    assert "Traceback" not in "".join(other.lines())
    deployment.write()
    deployment.expect_answers()


@dataclass
class Outage:
    """A server that is down for a while, and what the containers have logged since it went down."""

    deployment: Deployment
    before: dict[str, int]

    def expect_two_lines(self, name: str, *containers: str) -> None:
        """Wait until these containers log that the server is back, and check that they logged exactly two lines."""
        for container in containers:
            self.deployment.running[container].wait_for(f"{name} can be used again", self.before[container])
            lines = self._warnings(container)
            assert len(lines) == 2, "".join(lines)
            assert f" WARNING core.outages: {name} cannot be used; will retry: " in lines[0]

    def expect_silence(self, *containers: str) -> None:
        for container in containers:
            assert self._warnings(container) == []

    def _warnings(self, container: str) -> list[str]:
        """Return a container's log since the outage began, including tracebacks but without INFO lines."""
        return [
            line for line in self.deployment.running[container].lines(self.before[container]) if " INFO " not in line
        ]


@contextmanager
def outage(deployment: Deployment, stop: Callable[[], None], start: Callable[[], None]) -> Iterator[Outage]:
    """Stop a server during the block, for long enough that every process retries several times."""
    before = {name: len(running.lines()) for name, running in deployment.running.items()}
    stop()
    yield Outage(deployment, before)
    threading.Event().wait(AWAY_SECONDS)
    start()


def problems(deployment: Deployment, name: str) -> str:
    """Return the output of an unhealthy container's health check."""
    result = deployment.stack.health(deployment.container(name))
    assert result.exit_code == 1, result.stdout
    return str(result.exception)


@pytest.mark.parametrize("fault", ["killed", "out of connections"])
def test_an_outage_of_postgresql_delays_answers_and_costs_two_lines_in_each_log(
    deployment: Deployment, fault: str
) -> None:
    postgres = deployment.stack.postgres
    causes = {"killed": (lambda: postgres.stop("immediate"), postgres.start)}
    causes["out of connections"] = (postgres.use_up_connections, postgres.release_connections)
    with outage(deployment, *causes[fault]) as found:
        deployment.write()
        assert "database: " in problems(deployment, "first")
        assert "database: " in problems(deployment, "housekeeper")
    deployment.expect_answers()
    found.expect_two_lines("The database", "first", "second", "housekeeper")
    found.expect_silence("beat")
    deployment.expect_health()


def test_services_that_start_without_postgresql_end_with_a_sentence(deployment: Deployment) -> None:
    bot = replace(deployment.container("first"), name="late", webhook_port=free_port(), metrics_port=free_port())
    containers = [bot, *(deployment.stack.container(service, "late") for service in ("housekeeper", "migrate"))]
    deployment.stack.postgres.stop()
    started = [deployment.stack.start(container) for container in containers]
    for one in started:
        assert one.process.wait(SOON) == 1
        one.wait_for(" cannot be used: ")
        assert "Traceback" not in "".join(one.lines())
        assert deployment.stack.postgres.password not in "".join(one.lines())
    deployment.stack.postgres.start()
    deployment.write()
    deployment.expect_answers()


def test_a_killed_redis_costs_two_lines_in_the_logs_of_the_workers_and_answers_go_on(deployment: Deployment) -> None:
    redis = deployment.stack.redis
    with outage(deployment, lambda: redis.stop(signal.SIGKILL), redis.start) as found:
        deployment.write()
        deployment.expect_answers()
        assert "broker: " in problems(deployment, "first")
        assert "is not responding" in problems(deployment, "beat")
    found.expect_two_lines("The broker", "beat", "housekeeper")
    found.expect_silence("first", "second")
    deployment.expect_health()


def test_rotating_the_key_is_refused_beside_a_bot_and_changes_nothing_for_people(deployment: Deployment) -> None:
    refused = deployment.stack.run(deployment.container("first"), "key", "rotate")
    assert "a running bot would keep writing with the old key" in str(refused.exception)
    deployment.write()
    deployment.stop(*BOTS, "housekeeper")
    old, new = deployment.stack.key_file.read_text(encoding="utf-8"), Fernet.generate_key().decode() + "\n"
    deployment.stack.key_file.write_text(new + old, encoding="utf-8")
    deployment.run("key", "rotate")
    deployment.stack.key_file.write_text(new, encoding="utf-8")
    deployment.run("db", "check")
    deployment.start(*BOTS, "housekeeper")
    deployment.write()
    deployment.expect_answers()


def test_an_update_with_another_starter_makes_it_live_at_both_bots(deployment: Deployment) -> None:
    deployment.write()
    deployment.stop(*BOTS)
    manifest = deployment.stack.starter / "manifest.json"
    changed = json.loads(manifest.read_text(encoding="utf-8")) | {"version": "starter-of-the-update"}
    manifest.write_text(json.dumps(changed), encoding="utf-8")
    deployment.start(*BOTS)
    deployment.write()
    deployment.expect_answers()
    assert deployment.served() == ["starter-of-the-update"] * 3


def test_a_backup_restored_into_an_empty_database_goes_on_without_answering_twice(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.write()
    deployment.expect_answers()
    deployment.run("backup", "--out", str(tmp_path / "thumbs.tar"))
    deployment.stop(*BOTS, "housekeeper")
    deployment.stack.postgres.empty()
    deployment.run("restore", str(tmp_path / "thumbs.tar"), service="housekeeper")
    deployment.run("db", "check")
    deployment.write()
    deployment.start(*BOTS, "housekeeper")
    deployment.expect_answers()
    deployment.expect_health()
