"""Opens the database briefly in a thread of a process that forks, and delays forks until the database is closed.

A child that is forked while a SQLite connection is open inherits the state of the connection's locks, but not the
thread that releases them. Every write in that child would fail with "database is locked".
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.settings import Settings
from storage.db.database import Database
from storage.db.encryption import read_keys


class _OpenDatabases:
    """Counts the databases that this process has open, so that a fork can wait until there are none."""

    def __init__(self) -> None:
        self._count = 0
        self._fork_is_waiting = False
        self._changed = threading.Condition()

    def opening(self) -> None:
        with self._changed:
            # Otherwise, threads that take turns could delay a fork forever.
            self._changed.wait_for(lambda: not self._fork_is_waiting)
            self._count += 1

    def closed(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def before_fork(self) -> None:
        """Wait until no database is open, and keep any from being opened until ``after_fork``."""
        self._changed.acquire()
        self._fork_is_waiting = True
        self._changed.wait_for(lambda: self._count == 0)

    def after_fork(self) -> None:
        self._fork_is_waiting = False
        self._changed.notify_all()
        self._changed.release()


_OPEN = _OpenDatabases()
os.register_at_fork(before=_OPEN.before_fork, after_in_parent=_OPEN.after_fork, after_in_child=_OPEN.after_fork)


@contextmanager
def brief_database(settings: Settings) -> Iterator[Database]:
    """Open the database for a short block of code that must not fork. Raise what ``Database.open`` raises."""
    _OPEN.opening()
    try:
        database = Database.open(settings.database_address, read_keys(settings))
        try:
            yield database
        finally:
            database.close()
    finally:
        _OPEN.closed()
