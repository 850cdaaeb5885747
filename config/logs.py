"""Logging for every process: one line an event on standard error, secrets blanked out."""

import logging
import re

# Telegram tokens stand in request addresses, right after the letters "bot", and httpx, PTB and tornado log those.
_TOKEN = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}")


class SecretFilter(logging.Filter):
    """Blanks bot tokens in messages, arguments and tracebacks before any handler writes them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; always lets it pass."""
        record.msg = without_secrets(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = without_secrets(record.exc_text)
        return True


def without_secrets(text: str) -> str:
    """``text`` with every bot token replaced."""
    return _TOKEN.sub("<token>", text)


def set_up_logs(level: str) -> None:
    """Send all logs of this process to standard error at ``level``; libraries that chat are kept to warnings."""
    handler = logging.StreamHandler()
    handler.addFilter(SecretFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "apscheduler", "alembic", "tornado.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
