"""Logging for every process: to standard error, as text or JSON, without secrets or people's texts."""

import copy
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS, LogData
from pythonjsonlogger.json import JsonFormatter

LogFormat = Literal["text", "json"]

# The id of the Telegram update that the current task is handling or replying to.
_update_id: ContextVar[int | None] = ContextVar("update_id", default=None)
_TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s%(context)s"
_JSON_FIELDS: Final = ("levelname", "name", "message", "process")
# httpx, PTB and tornado log request URLs, in which the bot token follows the letters "bot".
_TOKEN = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}", re.ASCII)
# When PTB cannot parse an update, it logs the whole update, including people's texts.
_PTB_RECEIVED_DATA = re.compile(r"data(?: was)?:? \"?%")
# Minimum log level for verbose libraries. At DEBUG, PTB logs whole updates and API responses.
_LIBRARY_LEVELS = {
    "telegram": logging.INFO,
    # This module logs a traceback for every response that is not JSON, such as a gateway's, although it also raises the
    # error.
    "telegram.request.BaseRequest": logging.CRITICAL,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "apscheduler": logging.WARNING,
    "alembic": logging.WARNING,
    "tornado.access": logging.WARNING,
    # This logger reports malformed requests, which anyone can send.
    "tornado.general": logging.WARNING,
    # These loggers log every message, and the scheduler sends one every few seconds.
    "celery.beat": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    # These loggers report every expired message and every attempt to reconnect to the broker, although the worker
    # already logs the outage.
    "celery.worker.consumer.consumer": logging.ERROR,
    "celery.worker.consumer.connection": logging.WARNING,
    "celery.worker.request": logging.WARNING,
    "celery.app.trace": logging.WARNING,
}


class RedactingFormatter(logging.Formatter):
    """Formats a record and its traceback without bot tokens and without data received from Telegram.

    JSON fields are redacted before they are encoded, because an encoded token could directly follow the digits of an
    escape sequence.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON, or as one line of text that may be followed by a traceback."""
        if record.name.startswith("telegram") and _PTB_RECEIVED_DATA.search(str(record.msg)):
            record = copy.copy(record)
            record.args = ("<left out>",)
        formatted = self._formatter.format(record)
        return formatted if isinstance(self._formatter, JsonFormatter) else redact_secrets(formatted)


class _RedactingJsonFormatter(JsonFormatter):
    """Formats a record as one line of JSON, with every bot token replaced."""

    def process_log_record(self, log_data: LogData) -> LogData:
        """Return a record's fields with every token replaced."""
        return {name: _redact(value) for name, value in super().process_log_record(log_data).items()}


class RedactingHandler(logging.StreamHandler[TextIO]):
    """Writes to standard error.

    A record that can't be formatted is reported without its arguments, which may be secret.
    """

    def handleError(self, record: logging.LogRecord) -> None:
        """Report which log call failed, and why."""
        reason = redact_secrets(str(sys.exc_info()[1]))
        self.stream.write(f"Logging error at {record.pathname}, line {record.lineno}: {reason}\n")


def redact_secrets(text: str) -> str:
    """Return ``text`` with every bot token replaced."""
    return _TOKEN.sub("<token>", text)


def _redact(value: object) -> object:
    """Return a number or None unchanged, and any other value as text without tokens."""
    return value if value is None or isinstance(value, int | float) else redact_secrets(str(value))


@contextmanager
def update_context(update_id: int | None) -> Iterator[None]:
    """Add ``update_id`` to every record logged by this task, and by tasks that it starts in the block."""
    token = _update_id.set(update_id)
    try:
        yield
    finally:
        _update_id.reset(token)


def configure_logging(level: str, form: LogFormat = "text") -> None:
    """Log to standard error at ``level`` and above. Verbose libraries get a higher threshold."""
    handler = RedactingHandler()
    handler.addFilter(_add_context)
    handler.setFormatter(RedactingFormatter(_json_formatter() if form == "json" else logging.Formatter(_TEXT_FORMAT)))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, lowest in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(lowest, logging.getLevelName(level)))


def _json_formatter() -> JsonFormatter:
    renamed = {"levelname": "level", "name": "logger"}
    # ``context`` repeats ``update_id`` in readable form.
    return _RedactingJsonFormatter(
        _JSON_FIELDS, rename_fields=renamed, timestamp=True, reserved_attrs=[*RESERVED_ATTRS, "context"]
    )


def _add_context(record: logging.LogRecord) -> bool:
    """Add the update's id to a record, as a JSON field or as part of the text."""
    update_id = _update_id.get()
    record.context = "" if update_id is None else f" (update {update_id})"
    if update_id is not None:
        record.update_id = update_id
    return True
