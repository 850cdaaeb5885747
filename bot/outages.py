"""Logs one line when an outage begins and one when it ends, however often the work is retried in between."""

import logging
import time

logger = logging.getLogger(__name__)


class Outage:
    """Keeps track of whether something that this process needs, such as "The database", is failing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._since: float | None = None

    def failed(self, error: Exception) -> None:
        """Log the cause if the outage begins with this error."""
        if self._since is None:
            self._since = time.monotonic()
            logger.warning("%s cannot be used; will retry: %s", self._name, _cause(error))

    def succeeded(self) -> None:
        """If an outage just ended, log how long it lasted."""
        if self._since is not None:
            logger.warning("%s can be used again, after %.0f seconds", self._name, time.monotonic() - self._since)
            self._since = None


def _cause(error: Exception) -> str:
    """Return the first line of the driver's error, because SQLAlchemy's error adds the statement and a link."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
