"""Reports every few seconds that this worker is running, from a thread of its main process."""

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from core.errors import ThumbsError
from core.settings import Settings
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.training import workers

# Held while a report is written and while this process forks. In SQLite, a child that is forked during a write inherits
# the state of the lock but not the writer, so every write in that child would fail with "database is locked".
_NO_FORK = threading.Lock()
os.register_at_fork(before=_NO_FORK.acquire, after_in_parent=_NO_FORK.release, after_in_child=_NO_FORK.release)


@contextmanager
def heartbeat(settings: Settings, queues: Sequence[str]) -> Iterator[None]:
    """Report while the block runs, and sign off at its end. Skip reports during a database outage."""
    process, stop = f"{socket.gethostname()}:{os.getpid()}", threading.Event()

    def write(ended: bool) -> None:
        # A connection of its own for each report, because the task processes fork from this one.
        with _NO_FORK, suppress(ThumbsError, SQLAlchemyError):
            database = Database.open(settings.database_address, read_keys(settings))
            try:
                with database.unit_of_work() as unit:
                    if ended:
                        workers.sign_off(unit, process)
                    else:
                        workers.report(unit, process, " ".join(queues))
            finally:
                database.close()

    def repeat() -> None:
        write(ended=False)
        while not stop.wait(workers.REPORT_SECONDS):
            write(ended=False)

    thread = threading.Thread(target=repeat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        write(ended=True)
