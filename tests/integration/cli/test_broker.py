"""``thumbs broker check`` when the broker is a running Redis, a stopped Redis or a folder."""

import socket
from pathlib import Path

import pytest
from redis_server import RedisServer
from typer.testing import CliRunner

from broker import queues
from broker.errors import BrokerUnusable
from cli.main import app
from core.settings import Settings


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("BROKER_URL", raising=False)


def test_a_redis_responds_until_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RedisServer.running(tmp_path) as server:
        monkeypatch.setenv("BROKER_URL", server.address)
        assert CliRunner().invoke(app, ["broker", "check"]).exit_code == 0
        server.stop()
        result = CliRunner().invoke(app, ["broker", "check"])
    assert isinstance(result.exception, BrokerUnusable)
    assert str(result.exception).startswith(f"The broker at 127.0.0.1:{server.port} is not responding: ")


def test_a_server_that_accepts_connections_and_sends_nothing_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(queues, "_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        queues.notify_worker(Settings(_env_file=None, data_dir=tmp_path, broker_url=address), 1)  # type: ignore[arg-type]
        monkeypatch.setenv("BROKER_URL", address)
        result = CliRunner().invoke(app, ["broker", "check"])
    assert "Cannot notify a worker of run 1" in caplog.text
    assert isinstance(result.exception, BrokerUnusable)


def test_the_url_is_reported_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RedisServer.running(tmp_path) as server:
        port = server.port
    monkeypatch.setenv("BROKER_URL", f"redis://:hunter2@127.0.0.1:{port}/0")
    result = CliRunner().invoke(app, ["broker", "check"])
    assert isinstance(result.exception, BrokerUnusable)
    assert "hunter2" not in str(result.exception)


def test_a_folder_needs_no_server() -> None:
    assert CliRunner().invoke(app, ["broker", "check"]).exit_code == 0
