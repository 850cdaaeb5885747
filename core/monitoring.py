"""Serves a process's metrics and health over HTTP, for Prometheus and for health checks.

``/metrics`` is for Prometheus. ``/health`` says whether the process itself works, and ``/ready`` also checks everything
that it depends on. Both respond with status 200 or 503, and list the problems as JSON.
"""

import errno
import json
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, Metric, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily

from core.errors import BadSetting
from core.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

# The problem found in each part that was checked, or None if the part works.
Problems = Mapping[str, str | None]
Check = Callable[[], Problems]
Name = TypeVar("Name", bound=str)
Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]

_SECONDS_PER_REQUEST: Final = 10
# Errors that are caused by the port and not by the address.
_OF_PORT: Final = {errno.EADDRINUSE, errno.EACCES, errno.EPERM}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Log a broken connection, which any client can cause, instead of printing a traceback."""
        logger.debug("A request for metrics or health was interrupted", exc_info=True)


class _Ipv6Server(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _SECONDS_PER_REQUEST  # a client that sends nothing must not block a thread forever

    def log_message(self, format: str, *args: object) -> None:
        """Don't log requests, because health checks send one every few seconds."""


@contextmanager
def monitoring_server(settings: Settings, health: Check, ready: Check) -> Iterator[int]:
    """Serve on METRICS_LISTEN and METRICS_PORT until the block ends, and yield the port.

    If METRICS_PORT is not set, yield 0 and serve nothing. The checks run in the server's threads. Raise BadSetting if
    the port can't be used.
    """
    if settings.metrics_port is None:
        yield 0
        return
    host, port = settings.metrics_listen, settings.metrics_port
    server_class = _Ipv6Server if ":" in host else _Server
    try:
        server = make_server(host, port, _application(health, ready), server_class=server_class, handler_class=_Handler)
    except (OSError, UnicodeError) as error:
        of_port = isinstance(error, OSError) and error.errno in _OF_PORT
        name = "METRICS_PORT" if of_port else "METRICS_LISTEN"
        why = error.strerror if isinstance(error, OSError) else "it is not a host name"
        raise BadSetting(name=name, reason=f"port {port} cannot be opened on {host} ({why})") from error
    thread = Thread(target=server.serve_forever, name="monitoring", daemon=True)
    thread.start()
    # A process forked from this process must not keep the port in use after this process has ended.
    os.register_at_fork(after_in_child=server.socket.close)
    logger.info("Metrics and health are on port %d", server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def counts_by_label(name: str, text: str, label: str, counts: Mapping[Name, int]) -> Metric:
    """Return a gauge with one sample for each value of ``label``."""
    metric = GaugeMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        metric.add_metric([value], count)
    return metric


def _application(health: Check, ready: Check) -> Application:
    metrics = make_wsgi_app(REGISTRY)
    checks = {"/health": health, "/ready": ready}

    def application(environment: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environment.get("PATH_INFO", "/")
        if path == "/metrics":
            return _read_metrics(metrics, environment, start)
        check = checks.get(path)
        if check is None:
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Try /metrics, /health or /ready.\n"]
        problems = dict(_checked(check))
        working = not any(problems.values())
        start("200 OK" if working else "503 Service Unavailable", [("Content-Type", "application/json")])
        return [json.dumps({"working": working, "problems": problems}).encode()]

    return application


def _read_metrics(metrics: Application, environment: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
    """Return the metrics. Log any error with tokens redacted, and never show it to the client."""
    try:
        return metrics(environment, start)
    # After any error, Prometheus notices that it received no metrics.
    except Exception:
        logger.exception("Could not collect the metrics")
        start("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [b"The metrics could not be collected; see the log.\n"]


def _checked(check: Check) -> Problems:
    """Return the result of ``check``. Log any error with tokens redacted, and report only its type to the client."""
    try:
        return check()
    # After any error, the process counts as not ready.
    except Exception as error:
        logger.exception("A check failed")
        return {"check": f"It failed ({type(error).__name__})."}
