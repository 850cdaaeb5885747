"""``thumbs health`` handles any response, even if another program uses the port."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from cli.errors import NotMonitored, NotReady
from cli.main import app
from core.monitoring import Problems, monitoring_server
from core.settings import Settings


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[int]:
    """Serve ``body`` on every path, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"Not Found", 404),
        (b"", 200),
        (b"<html>", 500),
        (b"{}", 200),
        (b"[]", 200),
        (b"null", 200),
        (b'{"problems": null}', 200),
        (b'{"problems": ["database"]}', 200),
        (b"\xff\xfe", 200),
    ],
)
def test_another_program_on_the_port_is_reported_in_one_sentence(body: bytes, status: int) -> None:
    with answering(body, status) as port:
        result = CliRunner().invoke(app, ["health"], env={"METRICS_PORT": str(port)})
    assert isinstance(result.exception, NotMonitored), result.exception


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])
@pytest.mark.parametrize("problem", [None, "It does not respond."])
def test_readiness_is_reported(host: str, problem: str | None) -> None:
    def ready() -> Problems:
        return {"database": problem}

    settings = Settings(_env_file=None, metrics_listen=host, metrics_port=0)
    with monitoring_server(settings, health=dict, ready=ready) as port:
        environment = {"METRICS_PORT": str(port), "METRICS_LISTEN": host}
        result = CliRunner().invoke(app, ["health", "--json"], env=environment)
    assert isinstance(result.exception, NotReady) is (problem is not None), result.exception
    assert json.loads(result.stdout) == {"working": problem is None, "problems": {"database": problem}}


def test_a_host_that_no_address_can_have_is_reported() -> None:
    environment = {"METRICS_PORT": "9464", "METRICS_LISTEN": "not a host"}
    assert isinstance(CliRunner().invoke(app, ["health"], env=environment).exception, NotMonitored)
