"""JSON, uploads and Telegram's errors, as they are sent over HTTP."""

import json
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

DEPTH_LIMIT = 100
"""Maximum nesting depth of arrays and objects in a request, the same as in TDLib."""


class ApiError(Exception):
    """A rejected call, with the status, Telegram's description and an optional ``parameters`` object."""

    def __init__(self, code: int, description: str, parameters: JsonObject | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def to_api(self) -> JsonObject:
        """Return the body of the response."""
        body: JsonObject = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters is not None:
            body["parameters"] = self.parameters
        return body


def bad_request(reason: str) -> ApiError:
    """Return error 400 with Telegram's prefix."""
    return ApiError(400, f"Bad Request: {reason}")


def conflict(reason: str) -> ApiError:
    """Return error 409 with Telegram's prefix."""
    return ApiError(409, f"Conflict: {reason}")


def not_built(what: str) -> ApiError:
    """Return error 501, for a feature of Telegram that the playground lacks."""
    return ApiError(501, f"Not Implemented: the playground does not support {what}")


def encode(value: object) -> str:
    """Return compact JSON without escapes for non-ASCII characters, like Telegram's."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse_json(source: str) -> Any:  # noqa: ANN401  # JSON of any shape
    """Parse a JSON text and return its value.

    Raise ValueError if the text is not JSON, nests more than ``DEPTH_LIMIT`` levels or contains an infinite number.
    Raise ApiError 400 if a string contains half of a surrogate pair, which UTF-8 cannot encode.
    """
    try:
        value = json.loads(source)
        if _depth(value) > DEPTH_LIMIT:
            raise ValueError("nested too deeply")
        encode(value).encode("utf-8")
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except UnicodeEncodeError as error:
        raise not_utf8() from error
    return value


def not_utf8() -> ApiError:
    """Return error 400 for a string that UTF-8 cannot encode."""
    return bad_request("strings must be encoded in UTF-8")


def _depth(value: object) -> int:
    """Return the maximum nesting depth of arrays and objects."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a multipart body."""

    file_name: str
    mime_type: str
    content: bytes

    def to_log(self) -> JsonObject:
        """Return the values that the call log shows instead of the content."""
        return {"file_name": self.file_name, "mime_type": self.mime_type, "size": len(self.content)}
