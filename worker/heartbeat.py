"""Reports every few seconds that this worker is running, from a thread of its main process."""

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from core.errors import ThumbsError
from core.settings import Settings
from storage.training import workers
from worker.brief_database import brief_database


@contextmanager
def heartbeat(settings: Settings, queues: Sequence[str]) -> Iterator[None]:
    """Report while the block runs, and sign off at its end. Skip reports during a database outage."""
    process, stop = f"{socket.gethostname()}:{os.getpid()}", threading.Event()

    def write(ended: bool) -> None:
        with (
            suppress(ThumbsError, SQLAlchemyError),
            brief_database(settings) as database,
            database.unit_of_work() as unit,
        ):
            if ended:
                workers.sign_off(unit, process)
            else:
                workers.report(unit, process, " ".join(queues))

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
