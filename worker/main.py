"""The processes: settings in, a worker or the beat until SIGINT or SIGTERM."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from celery import signals

from broker.queues import FINE_TUNING, QUEUES
from core.logs import configure_logging
from core.settings import Settings
from storage.db.database import Database
from storage.db.encryption import read_keys
from worker.app import make_app
from worker.stop_with_parent import StopWithParent


def run_worker(settings: Settings, queues: Sequence[str] = QUEUES, *, beat: bool = False) -> NoReturn:
    """Consume ``queues`` until told to stop, with a beat of its own if wanted; ends the process with its status.

    Raises ThumbsError when the database or the broker's address cannot be used.
    """
    configure_logging(settings.log_level)
    # A process that cannot work says so now and not with its first task; every other process opens its own.
    Database.open(settings.database_address, read_keys(settings)).close()
    leash = StopWithParent()
    app = make_app(settings, leash)
    worker = app.Worker(
        queues=list(queues),
        # A run takes one process for minutes or hours, and the rest must not wait for it.
        concurrency=1 if list(queues) == [FINE_TUNING] else 2,
        pool="prefork",
        beat=beat,
        hostname=f"{os.getpid()}@{socket.gethostname()}",
        loglevel=settings.log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    _follow_signals(leash)
    worker.start()
    # All tasks have ended. The pool would wait seconds more at exit for a thread that has nothing left to say.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(int(worker.exitcode or 0))


def run_beat(settings: Settings) -> None:
    """Send what the schedule says until told to stop; there has to be exactly one beat."""
    configure_logging(settings.log_level)
    app = make_app(settings, StopWithParent())
    _keep_logs()
    app.Beat(loglevel=settings.log_level, quiet=True).run()


def _follow_signals(leash: StopWithParent) -> None:
    """Have the worker's processes follow the leash, and the worker let it go when it stops."""
    _keep_logs()

    def let_go(**_: Any) -> None:  # noqa: ANN401 - Celery sends what it has
        leash.signal_stop()

    def follow(**_: Any) -> None:  # noqa: ANN401
        leash.follow()

    def end_with(**_: Any) -> None:  # noqa: ANN401
        leash.end_with_the_worker()

    def ready(**_: Any) -> None:  # noqa: ANN401
        # Celery would break a run off at Ctrl-C; told to stop, it gives the run back.
        signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))

    signals.worker_shutting_down.connect(let_go, weak=False)
    signals.worker_process_init.connect(follow, weak=False)
    signals.beat_embedded_init.connect(end_with, weak=False)
    signals.worker_ready.connect(ready, weak=False)


def _keep_logs() -> None:
    """Keep Celery from setting up logs of its own, which know nothing of secrets."""
    signals.setup_logging.connect(lambda **_: None, weak=False)
