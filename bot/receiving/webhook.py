"""The webhook server. It accepts updates only from Telegram, and limits body sizes, waiting times and connections.

The path, the method and the secret are checked as soon as a request's headers have arrived, before its body is read.
"""

import asyncio
import errno
import hmac
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets

from core.errors import BadSetting

logger = logging.getLogger(__name__)

Receive = Callable[[str], Awaitable[None]]

_SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 -- the header's name, not a secret
# Maximum number of bytes in the request line and the headers together.
_HEADER_BYTES: Final = 16_384
# Maximum number of digits to read from Content-Length, because Python refuses to convert very long numbers.
_LENGTH_DIGITS: Final = 18
# Maximum number of bytes that a connection buffers.
_BUFFER_BYTES: Final = 262_144


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's limits: bytes per body, seconds to receive the headers or the body, and open connections.

    Telegram opens 40 connections, and its updates are far smaller than the limit.
    """

    body_bytes: int = 1_000_000
    seconds: float = 10.0
    connections: int = 100


class WebhookServer(HTTPServerConnectionDelegate):
    """Passes each update to ``receive`` as JSON text, and confirms it once ``receive`` has returned.

    Requests without ``secret`` are refused. While ``secret`` is empty, all requests are refused. ``refusals`` counts
    requests with a different secret, and ``confirmed`` counts the updates that were stored.
    """

    def __init__(self, url: str, receive: Receive, limits: Limits | None = None) -> None:
        self.secret = ""
        self.refusals = 0
        self.confirmed = 0
        self._receive = receive
        self._path = urlsplit(url).path.rstrip("/")
        self._limits = limits or Limits()
        self._sockets: list[socket.socket] = []
        self._server = _BoundedServer(
            self,
            max_connections=self._limits.connections,
            max_header_size=_HEADER_BYTES,
            max_body_size=self._limits.body_bytes,
            max_buffer_size=_BUFFER_BYTES,
            idle_connection_timeout=self._limits.seconds,
            body_timeout=self._limits.seconds,
        )

    def bind(self, host: str, port: int) -> int:
        """Reserve the address without accepting connections yet, and return the port.

        Raise BadSetting if that fails.
        """
        try:
            self._sockets = bind_sockets(port, host)
        except UnicodeError as error:
            raise BadSetting(name="WEBHOOK_LISTEN", reason=f"{host} is not a host name") from error
        except OSError as error:
            of_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
            name = "WEBHOOK_LISTEN" if of_host else "WEBHOOK_PORT"
            reason = f"the webhook server cannot listen on port {port} of {host} ({error.strerror})"
            raise BadSetting(name=name, reason=reason) from error
        return int(self._sockets[0].getsockname()[1])

    def start(self) -> None:
        """Start answering requests."""
        self._server.add_sockets(self._sockets)

    async def stop(self) -> None:
        """Stop listening and close every connection. Telegram repeats an update that was not confirmed."""
        self._server.stop()
        for bound in self._sockets:
            bound.close()
        await self._server.close_all_connections()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Return the delegate for the next request on a connection."""
        return _Request(self, cast("HTTP1Connection", request_conn))

    def refusal(self, start: RequestStartLine, headers: HTTPHeaders) -> HTTPStatus | None:
        """Return the status for refusing a request, or None if its body may be read."""
        if start.path.partition("?")[0].rstrip("/") != self._path:
            return HTTPStatus.NOT_FOUND
        if start.method != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        if not self._is_secret(headers.get(_SECRET_HEADER, "")):
            self.refusals += 1
            return HTTPStatus.FORBIDDEN
        length = headers.get("Content-Length", "0")
        if length.isdecimal() and int(length[:_LENGTH_DIGITS]) > self._limits.body_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return None

    async def receive(self, payload: str) -> None:
        """Store an update, and return after the commit."""
        await self._receive(payload)
        self.confirmed += 1

    def _is_secret(self, given: str) -> bool:
        same = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.secret.encode())
        return same and bool(self.secret)


class _Request(HTTPMessageDelegate):
    """Handles one request. Refuses it as soon as its headers have arrived, or reads it to the end and passes it on."""

    def __init__(self, server: WebhookServer, connection: HTTP1Connection) -> None:
        self._server = server
        self._connection = connection
        self._body = bytearray()

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        """Refuse the request if its headers are wrong. The connection then closes without reading the body."""
        refusal = self._server.refusal(cast("RequestStartLine", start_line), headers)
        if refusal is not None:
            self._answer(refusal)

    def data_received(self, chunk: bytes) -> None:
        """Buffer a chunk of the body. The server limits the total size."""
        self._body += chunk

    def finish(self) -> None:
        """Pass on the update. Stop if Telegram closes the connection, because it will send the update again."""
        task = asyncio.create_task(self._receive())

        def cancel() -> None:
            task.cancel()

        self._connection.set_close_callback(cancel)

    def on_connection_close(self) -> None:
        """Discard the body of an incomplete request."""
        self._body.clear()

    async def _receive(self) -> None:
        status = HTTPStatus.OK
        try:
            await self._server.receive(self._body.decode())
        except UnicodeDecodeError:
            status = HTTPStatus.BAD_REQUEST
        # Telegram repeats any update that is not confirmed.
        except Exception:
            logger.exception("Could not store an update, so it is not confirmed to Telegram")
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        self._answer(status)

    def _answer(self, status: HTTPStatus) -> None:
        """Send only the status, with no body and no header that names the server."""
        start = ResponseStartLine("HTTP/1.1", status.value, status.phrase)
        self._connection.write_headers(start, HTTPHeaders({"Content-Length": "0"}))
        self._connection.finish()


class _BoundedServer(HTTPServer):
    """Closes each new connection immediately while ``max_connections`` are open."""

    def initialize(self, *args: Any, max_connections: int = 0, **limits: Any) -> None:  # noqa: ANN401 -- Tornado's own
        super().initialize(*args, **limits)
        self._max_connections = max_connections
        self._open = 0

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        if self._open >= self._max_connections:
            stream.close()
            return
        self._open += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        self._open -= 1
        super().on_close(server_conn)
