"""Logging for every process: to standard error, one event per line, without secrets or people's texts."""

import copy
import logging
import re
import sys
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# httpx, PTB and tornado log request URLs, in which the bot token follows the letters "bot".
_TOKEN = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}")
# When PTB cannot parse what it received, it logs all of it, people's texts included.
_PTB_RECEIVED_DATA = re.compile(r"data(?: was)?:? \"?%")
# The lowest level logged for verbose libraries. At DEBUG, PTB logs whole updates and API responses.
_LIBRARY_LEVELS = {
    "telegram": logging.INFO,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "apscheduler": logging.WARNING,
    "alembic": logging.WARNING,
    "tornado.access": logging.WARNING,
    # These log every message, and the scheduler sends one every few seconds.
    "celery.beat": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    "celery.app.trace": logging.WARNING,
}


class RedactingFormatter(logging.Formatter):
    """Formats a record and its traceback without bot tokens and without data received from Telegram."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        if record.name.startswith("telegram") and _PTB_RECEIVED_DATA.search(str(record.msg)):
            record = copy.copy(record)
            record.args = ("<left out>",)
        return redact_secrets(super().format(record))


class RedactingHandler(logging.StreamHandler[TextIO]):
    """Writes to standard error, and reports a record that cannot be formatted without its arguments.

    The arguments may be secret.
    """

    def handleError(self, record: logging.LogRecord) -> None:
        """Report which log call failed, and why."""
        reason = redact_secrets(str(sys.exc_info()[1]))
        self.stream.write(f"Logging error at {record.pathname}, line {record.lineno}: {reason}\n")


def redact_secrets(text: str) -> str:
    """Return ``text`` with every bot token replaced."""
    return _TOKEN.sub("<token>", text)


def configure_logging(level: str) -> None:
    """Log to standard error at ``level`` and above; verbose libraries have a higher level."""
    handler = RedactingHandler()
    handler.setFormatter(RedactingFormatter(_FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, lowest in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(lowest, logging.getLevelName(level)))
