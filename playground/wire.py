"""What travels between a bot and the server: JSON objects, and the errors that Telegram answers with."""

import json
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]


class ApiError(Exception):
    """A refused call: the status, Telegram's description, and its ``parameters`` object where there is one."""

    def __init__(self, code: int, description: str, parameters: JsonObject | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def to_api(self) -> JsonObject:
        """The body of the answer."""
        body: JsonObject = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters is not None:
            body["parameters"] = self.parameters
        return body


def bad_request(reason: str) -> ApiError:
    """Status 400 with Telegram's prefix."""
    return ApiError(400, f"Bad Request: {reason}")


def conflict(reason: str) -> ApiError:
    """Status 409 with Telegram's prefix."""
    return ApiError(409, f"Conflict: {reason}")


def not_built(what: str) -> ApiError:
    """Status 501: Telegram has it, the playground does not."""
    return ApiError(501, f"Not Implemented: the playground has no {what}")


def encode(value: object) -> str:
    """JSON as Telegram writes it: compact, letters of all scripts as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart body."""

    file_name: str
    mime_type: str
    content: bytes

    def to_log(self) -> JsonObject:
        """What the list of calls shows of it."""
        return {"file_name": self.file_name, "mime_type": self.mime_type, "size": len(self.content)}
