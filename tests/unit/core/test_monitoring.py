"""Metrics and health over HTTP."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import REGISTRY, Metric
from prometheus_client.registry import Collector

from core import monitoring
from core.errors import BadSetting
from core.monitoring import Problems, monitoring_server
from core.settings import Settings


@contextmanager
def served(problems: Problems, **settings: object) -> Iterator[httpx.Client]:
    given = Settings(_env_file=None, metrics_port=0, **settings)  # type: ignore[arg-type]
    with (
        monitoring_server(given, health=dict, ready=lambda: problems) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


def test_metrics_are_in_the_format_of_prometheus() -> None:
    with served({}) as client:
        answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "process_cpu_seconds_total" in answer.text


def test_health_and_readiness_differ() -> None:
    with served({"database": None, "broker": "It does not respond."}) as client:
        assert client.get("/health").json() == {"working": True, "problems": {}}
        ready = client.get("/ready")
    assert ready.status_code == 503
    assert ready.json() == {"working": False, "problems": {"database": None, "broker": "It does not respond."}}
    with served({"database": None}) as client:
        assert client.get("/ready").status_code == 200


def test_other_paths_are_not_found() -> None:
    with served({}) as client:
        assert client.get("/").status_code == 404
        assert client.get("/metrics/../etc/passwd").status_code == 404


def test_nothing_is_served_without_a_port() -> None:
    before = threading.active_count()
    with monitoring_server(Settings(_env_file=None), health=dict, ready=dict) as port:
        assert (port, threading.active_count()) == (0, before)


def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(_env_file=None, metrics_port=port)
        with (
            pytest.raises(BadSetting, match=f"METRICS_PORT cannot be used: port {port} cannot be opened on 127.0.0.1"),
            monitoring_server(settings, health=dict, ready=dict),
        ):
            pass


def test_a_client_that_sends_nothing_does_not_block_others() -> None:
    with served({}) as client, socket.create_connection((client.base_url.host, client.base_url.port or 0)):
        assert client.get("/health").status_code == 200


def test_a_check_that_fails_is_a_problem(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    def failing() -> Problems:
        raise LookupError("a text that somebody wrote")

    settings = Settings(_env_file=None, metrics_port=0)
    with monitoring_server(settings, health=failing, ready=failing) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False)
    assert answer.status_code == 503
    assert answer.json() == {"working": False, "problems": {"check": "It failed (LookupError)."}}
    assert "A check failed" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


def test_an_ipv6_address_can_be_served() -> None:
    settings = Settings(_env_file=None, metrics_port=0, metrics_listen="::1")
    with monitoring_server(settings, health=dict, ready=dict) as port:
        assert httpx.get(f"http://[::1]:{port}/health", trust_env=False).status_code == 200


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "x" * 300, "300.1.1.1"])
def test_an_address_that_cannot_be_used_is_reported(host: str) -> None:
    settings = Settings(_env_file=None, metrics_port=0, metrics_listen=host)
    with (
        pytest.raises(BadSetting, match="METRICS_LISTEN cannot be used: port 0 cannot be opened on "),
        monitoring_server(settings, health=dict, ready=dict),
    ):
        raise AssertionError


def test_metrics_that_cannot_be_read_are_an_error_without_a_traceback(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    class Failing(Collector):
        def collect(self) -> Iterator[Metric]:
            raise LookupError("a text that somebody wrote")

        def describe(self) -> Iterator[Metric]:
            return iter(())

    collector = Failing()
    REGISTRY.register(collector)
    try:
        with served({}) as client:
            assert client.get("/metrics").status_code == 500
            assert client.get("/health").status_code == 200
    finally:
        REGISTRY.unregister(collector)
    assert "Could not collect the metrics" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("sent", [b"", b"GET /health", b"\x16\x03\x01\r\n\r\n", b"GET /health HTTP/1.0\r\n\r\n"])
@pytest.mark.parametrize("end", ["reset", "close", "wait"])
def test_a_broken_connection_leaves_no_traceback(
    sent: bytes, end: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.monitoring._Handler.timeout", 0.05)
    ended = threading.Event()
    shutdown = monitoring._Server.shutdown_request

    def shutdown_request(self: monitoring._Server, request: socket.socket) -> None:
        shutdown(self, request)
        ended.set()

    monkeypatch.setattr("core.monitoring._Server.shutdown_request", shutdown_request)
    settings = Settings(_env_file=None, metrics_port=0)
    with monitoring_server(settings, health=dict, ready=dict) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            if end == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if end == "wait":
                ended.wait(5)
        assert ended.wait(5)
    assert capfd.readouterr().err == ""
