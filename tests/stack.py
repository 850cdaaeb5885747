"""Starts the services in docker-compose.yml as processes on this machine, with the file's commands and environment.

Host names, ports, folders and secrets are local, and a folder with a copy of the starter replaces the image's working
folder. One-off commands run in this process, which is faster.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import Result
from compose_file import SERVICES, environment, mounts
from paths import ROOT, STARTER
from postgres_server import PostgresServer
from redis_server import RedisServer
from typer.testing import CliRunner

from cli.main import app
from core.settings import Settings
from playground.client import PlaygroundClient
from storage.db.encryption import make_key_file

SOON = 40.0
# The line that each service logs once it is ready. The beat logs nothing.
_READY = {"bot": "Answering with model", "housekeeper": " ready.", "worker-cpu": " ready."}


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass(frozen=True)
class Container:
    """One container of a service, with its own data, secrets and ports."""

    name: str
    service: str
    secrets: dict[str, Path]
    given: dict[str, str] = field(default_factory=dict)
    """The environment in which Docker Compose runs."""
    webhook_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)


@dataclass
class Running:
    """The process that runs as a container, and its log."""

    container: Container
    process: "subprocess.Popen[str]"
    log: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def read_log(self) -> None:
        """Read the log until the process ends."""
        for line in self.process.stdout or ():
            with self._changed:
                self.log.append(line)
                self._changed.notify_all()

    def lines(self, since: int = 0) -> list[str]:
        """Return the log's lines after the first ``since`` lines."""
        with self._changed:
            return self.log[since:]

    def wait_for(self, words: str, since: int = 0) -> None:
        """Wait until a line after the first ``since`` lines contains ``words``."""
        with self._changed:
            found = self._changed.wait_for(lambda: any(words in line for line in self.log[since:]), SOON)
        assert found, f"{self.container.name} never logged {words!r}:\n{''.join(self.log)}"

    def wait_until_ready(self) -> None:
        """Wait until the process reports that it is ready."""
        if self.container.service in _READY:
            self.wait_for(_READY[self.container.service])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the process, and check its exit status unless it was killed."""
        self.process.send_signal(number)
        status = self.process.wait(SOON)
        assert status == 0 or number is signal.SIGKILL, "".join(self.log)


class Stack:
    """The services' processes, the servers they use, and the folders that stand in for volumes and secrets."""

    def __init__(self, folder: Path, postgres: PostgresServer, redis: RedisServer) -> None:
        self.postgres = postgres
        self.redis = redis
        self.app = folder / "app"
        self.starter = self.app / "models" / "starter"
        self._folder = folder
        self._running = ExitStack()
        shutil.copytree(STARTER, self.starter)
        (folder / "secrets").mkdir()
        self.key_file = self.secret("encryption_key")
        make_key_file(self.key_file)
        self.secret("database_password").write_text(postgres.password, encoding="utf-8")

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> "Iterator[Stack]":
        """Yield a stack with running servers, and stop everything at the end."""
        with ExitStack() as servers:
            postgres = servers.enter_context(PostgresServer.running())
            stack = cls(folder, postgres, servers.enter_context(RedisServer.running(folder)))
            servers.enter_context(stack._running)
            yield stack

    def secret(self, name: str) -> Path:
        """Return the file that contains a secret."""
        return self._folder / "secrets" / name

    def container(self, service: str, name: str | None = None, **given: str) -> Container:
        """Describe one of a service's containers. ``given`` is the environment in which Docker Compose runs."""
        secrets = {secret: self.secret(secret) for secret in SERVICES[service].get("secrets", [])}
        return Container(name or service, service, secrets, given)

    def bot(self, name: str, telegram: PlaygroundClient) -> Container:
        """Describe a bot that receives updates by webhook from this Bot API."""
        port = free_port()
        token = self.secret(f"telegram_token_of_{name}")
        token.write_text(telegram.token, encoding="utf-8")
        url = f"http://127.0.0.1:{port}/telegram"
        made = self.container("bot", name, WEBHOOK_URL=url, TELEGRAM_API_URL=telegram.url)
        return Container(name, "bot", {**made.secrets, "telegram_token": token}, made.given, port)

    def start(self, container: Container) -> Running:
        """Start a container's process with the image's entry point, which is ``thumbs``."""
        process = self._running.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "cli.main", *SERVICES[container.service]["command"]],
                cwd=self.app,
                env=self._process_environment(container),
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )
        self._running.callback(_kill_group, process)
        running = Running(container, process)
        threading.Thread(target=running.read_log, daemon=True).start()
        return running

    def run(self, container: Container, *words: str) -> Result:
        """Run a command like ``docker compose run --rm SERVICE WORDS``."""
        variables = self._process_environment(container)
        unset = {name: None for name in os.environ if name not in variables}
        return CliRunner().invoke(app, words, env={**unset, **variables})

    def health(self, container: Container) -> Result:
        """Run a service's health check once."""
        kind, program, *words = SERVICES[container.service]["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "thumbs")
        return self.run(container, *words)

    def wait_until_healthy(self, container: Container) -> None:
        """Run the health check until it succeeds."""
        deadline = time.monotonic() + SOON
        while (result := self.health(container)).exit_code:
            assert time.monotonic() < deadline, result.exception

    def environment(self, container: Container) -> dict[str, str]:
        """Return the environment of a container's process, with local addresses and paths."""
        service = SERVICES[container.service]
        hosts = {"postgres:5432": f"127.0.0.1:{self.postgres.port}", "redis:6379": f"127.0.0.1:{self.redis.port}"}
        local = {**hosts, "0.0.0.0": "127.0.0.1"}
        local |= {f"/run/secrets/{name}": str(path) for name, path in container.secrets.items()}
        local |= {target: str(self._volume(container, source)) for target, (source, _) in mounts(service).items()}
        values = environment(service, **container.given)
        for name, value in values.items():
            for there, here in local.items():
                if value == there or (there in hosts and there in value):
                    values[name] = value.replace(there, here)
        starter = {name: str(self.starter) for name in ("MODEL", "ANCHOR") if values.get(name) == ""}
        ports = {"WEBHOOK_PORT": container.webhook_port, "METRICS_PORT": container.metrics_port}
        return values | starter | {name: str(port) for name, port in ports.items() if name in values}

    def _volume(self, container: Container, source: str) -> Path:
        """Return the folder for a volume. Containers of the same service don't share their own data."""
        own = source == f"{container.service}-data"
        folder = self._folder / "volumes" / (f"{container.name}-data" if own else source)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _process_environment(self, container: Container) -> dict[str, str]:
        names = {name.upper() for name in Settings.model_fields}
        others = {name: value for name, value in os.environ.items() if name.upper() not in names}
        image = {"THUMBS_HOME": str(self.app), "PYTHONPATH": str(ROOT)}
        return {**others, **image, **self.environment(container)}


def _kill_group(process: "subprocess.Popen[str]") -> None:
    """End a process that is still running, along with everything that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
