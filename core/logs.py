"""Logging for every process: one line an event on standard error, without secrets and without people's texts."""

import copy
import logging
import re
import sys
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Telegram tokens stand in request addresses, right after the letters "bot", and httpx, PTB and tornado log those.
_TOKEN = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}")
# PTB's lines about what it cannot parse end with all that came, people's texts included.
_RECEIVED = re.compile(r"data(?: was)?:? \"?%")
# Libraries that chat, and the least level that they are heard at. At DEBUG, PTB logs whole updates and answers.
_QUIETED = {
    "telegram": logging.INFO,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "apscheduler": logging.WARNING,
    "alembic": logging.WARNING,
    "tornado.access": logging.WARNING,
    # A line for each message, and the beat sends one every few seconds.
    "celery.beat": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    "celery.app.trace": logging.WARNING,
}


class RedactingFormatter(logging.Formatter):
    """Writes a record, traceback included, with bot tokens blanked out and what Telegram sent left out."""

    def format(self, record: logging.LogRecord) -> str:
        """One event as text."""
        if record.name.startswith("telegram") and _RECEIVED.search(str(record.msg)):
            record = copy.copy(record)
            record.args = ("<left out>",)
        return redact_secrets(super().format(record))


class RedactingHandler(logging.StreamHandler[TextIO]):
    """Standard error; a record that cannot be written is told by its place, since its arguments may be secret."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say which line of the program could not be logged, and why."""
        reason = redact_secrets(str(sys.exc_info()[1]))
        self.stream.write(f"Logging error at {record.pathname}, line {record.lineno}: {reason}\n")


def redact_secrets(text: str) -> str:
    """``text`` with every bot token replaced."""
    return _TOKEN.sub("<token>", text)


def configure_logging(level: str) -> None:
    """Send all logs of this process to standard error at ``level``; libraries that chat are heard less."""
    handler = RedactingHandler()
    handler.setFormatter(RedactingFormatter(_FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in _QUIETED.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))
