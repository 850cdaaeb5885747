"""Logs one line when an outage begins and one when it ends, however often the work is retried in between."""

import logging
import mmap
import time

logger = logging.getLogger(__name__)


class Outage:
    """Tracks whether a dependency of this process, such as "The database", is failing.

    Forked processes share the state in memory, so that only one of them logs an outage.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        # The monotonic time when the outage began, or 0.
        self._since = memoryview(mmap.mmap(-1, 8)).cast("d")

    def failed(self, error: BaseException) -> None:
        """Log the cause if the outage begins with this error."""
        if not self._since[0]:
            self._since[0] = time.monotonic()
            logger.warning("%s cannot be used; will retry: %s", self._name, _cause(error))

    def succeeded(self) -> None:
        """If an outage just ended, log how long it lasted."""
        if since := self._since[0]:
            self._since[0] = 0
            logger.warning("%s can be used again, after %.0f seconds", self._name, time.monotonic() - since)


def _cause(error: BaseException) -> str:
    """Return the first line of the driver's error, because SQLAlchemy's error adds the statement and a link."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
