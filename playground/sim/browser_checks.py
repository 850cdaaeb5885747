"""Protects people's chats from other sites' pages by checking Host and Origin and forbidding framing.

The requests do not need a token. Pages from other sites must therefore not be able to send requests or read the
responses through a person's browser. In DNS rebinding, a name that an attacker owns points to this machine, and the
Host header then contains that name.
"""

from urllib.parse import urlsplit

from tornado.web import RequestHandler

from core.hosts import is_loopback
from playground.wire import ApiError

_CONTENT_POLICY = "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; frame-ancestors 'none'"


class LocalHandler(RequestHandler):
    """Serves only programs on this machine and the playground's own page.

    The application's ``listening_host`` setting is the host name or address that the server was told to listen on.
    """

    def set_default_headers(self) -> None:
        """Forbid frames, other sites' code and images, and the use of the response by other sites."""
        self.set_header("Content-Security-Policy", _CONTENT_POLICY)
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def prepare(self) -> None:
        """Reject requests from other sites before anything else happens."""
        self.check_sender()

    def check_sender(self) -> None:
        """Raise ApiError 403 for requests to a different host name or from another site's page."""
        host = self.request.host
        if not self._is_own_host(host):
            raise ApiError(
                403,
                f"Forbidden: {host!r} is not one of the playground's names; use localhost or the address it listens on",
            )
        origin = self.request.headers.get("Origin")
        if origin is not None and origin.lower() != f"{self.request.protocol}://{host}".lower():
            raise ApiError(403, f"Forbidden: requests must come from the playground's own page, not from {origin}")

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Report an error as plain text."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self.error_description(**kwargs)}\n")

    def error_description(self, **kwargs: object) -> str:
        """Return the sentence that describes the error, and set the status if it is an ApiError."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None  # type: ignore[index]  # tornado's tuple
        if not isinstance(error, ApiError):
            return self._reason
        self.set_status(error.code)
        return error.description

    def log_exception(self, *exc_info: object) -> None:
        """Log server errors, but not rejected requests."""
        if not isinstance(exc_info[1], ApiError):
            super().log_exception(*exc_info)  # type: ignore[arg-type]  # passed through unchanged

    def _is_own_host(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if name is None:
            return False
        return is_loopback(name) or name in (self.settings["listening_host"].lower(), self._local_address())

    def _local_address(self) -> str | None:
        """Return the address on this machine that the request was sent to."""
        connection = self.request.connection
        stream = getattr(connection, "stream", None)
        if stream is None or stream.socket is None:
            return None
        return str(stream.socket.getsockname()[0]).partition("%")[0]
