"""Reads request bodies. Oversized bodies are read and discarded, so that the sender can read the error."""

from tornado.httputil import HTTPInputError, parse_body_arguments
from tornado.web import RequestHandler, stream_request_body

from playground.wire import ApiError, bad_request, not_utf8

UPLOAD_LIMIT = 50 * 1024 * 1024
"""Maximum size, in bytes, of a file that Telegram accepts from a bot."""
_BODY_LIMIT = UPLOAD_LIMIT + 1024 * 1024
_READ_LIMIT = 2**31
"""Size, in bytes, above which the server does not read a body to its end."""


def too_large() -> ApiError:
    """Return error 413 with Telegram's wording."""
    return ApiError(413, "Request Entity Too Large")


@stream_request_body
class BodyHandler(RequestHandler):
    """Collects the body. Handlers must call ``read_body`` before they use the request's arguments and files."""

    def prepare(self) -> None:
        """Accept oversized bodies, so that they can be read and discarded."""
        self._chunks: list[bytes] = []
        self._size = 0
        self.request.connection.set_max_body_size(_READ_LIMIT)  # type: ignore[union-attr]  # an HTTP/1 connection

    def data_received(self, chunk: bytes) -> None:
        """Keep this chunk of the body, unless the body is already too large."""
        self._size += len(chunk)
        if self._size <= _BODY_LIMIT:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def read_body(self) -> None:
        """Add the body, its form values and its files to the request, or raise ApiError."""
        if self._size > _BODY_LIMIT:
            raise too_large()
        request = self.request
        request.body = b"".join(self._chunks)
        content_type = request.headers.get("Content-Type", "")
        try:
            parse_body_arguments(content_type, request.body, request.body_arguments, request.files, request.headers)
        except HTTPInputError as error:
            raise bad_request(f"can't parse the body: {error}") from error
        except UnicodeDecodeError as error:
            raise not_utf8() from error
        for name, values in request.body_arguments.items():
            request.arguments.setdefault(name, []).extend(values)
        if any(len(part.body) > UPLOAD_LIMIT for parts in request.files.values() for part in parts):
            raise too_large()
