"""Runs a worker or the beat until SIGINT or SIGTERM."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from celery import signals
from prometheus_client import REGISTRY

from broker.queues import FINE_TUNING, QUEUES
from core.logs import configure_logging
from core.monitoring import monitoring_server
from core.settings import Settings
from storage.db.database import Database
from storage.db.encryption import read_keys
from worker.app import make_app
from worker.heartbeat import heartbeat
from worker.monitoring import WorkerMonitor
from worker.stop_with_parent import StopWithParent
from worker.trainer.process import require_training_python


def run_worker(settings: Settings, queues: Sequence[str] = QUEUES, *, beat: bool = False) -> NoReturn:
    """Consume ``queues`` until told to stop, with a beat if requested, then exit with Celery's status.

    Raise NeedsTrainingEnvironment if this environment cannot train, and ThumbsError if the database or the broker's
    address is unusable.
    """
    if FINE_TUNING in queues and settings.training_python is None:
        require_training_python(settings)
    configure_logging(settings.log_level, settings.log_format)
    # Fail now rather than at the first task if the database is unusable. Each task process opens its own connection.
    Database.open(settings.database_address, read_keys(settings)).close()
    stop = StopWithParent()
    app = make_app(settings, stop)
    worker = app.Worker(
        queues=list(queues),
        # A run occupies one process for minutes or hours. Housekeeping must not wait for the run.
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
    _connect_signals(stop)
    monitor = WorkerMonitor(settings)
    REGISTRY.register(monitor)
    with monitoring_server(settings, health=dict, ready=monitor.ready), heartbeat(settings, queues):
        worker.start()
    # All tasks have ended, but a normal exit would wait a few more seconds for an idle pool thread.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(int(worker.exitcode or 0))


def run_beat(settings: Settings) -> None:
    """Send the scheduled messages until told to stop. Exactly one beat must run."""
    configure_logging(settings.log_level, settings.log_format)
    app = make_app(settings, StopWithParent())
    _disable_celery_logging()
    app.Beat(loglevel=settings.log_level, quiet=True).run()


def _connect_signals(stop: StopWithParent) -> None:
    """Connect Celery's signals, so that the worker's processes notice when the worker stops or dies."""
    _disable_celery_logging()

    def on_worker_stop(**_: Any) -> None:  # noqa: ANN401 - whatever Celery sends
        stop.signal_stop()

    def on_process_start(**_: Any) -> None:  # noqa: ANN401
        stop.follow_worker()

    def on_beat_start(**_: Any) -> None:  # noqa: ANN401
        stop.exit_with_worker()

    def on_worker_ready(**_: Any) -> None:  # noqa: ANN401
        # On SIGINT, Celery would interrupt the run, but on SIGTERM it shuts down gracefully and releases the run.
        signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))

    signals.worker_shutting_down.connect(on_worker_stop, weak=False)
    signals.worker_process_init.connect(on_process_start, weak=False)
    signals.beat_embedded_init.connect(on_beat_start, weak=False)
    signals.worker_ready.connect(on_worker_ready, weak=False)


def _disable_celery_logging() -> None:
    """Keep Celery from configuring logging itself, because its logging would not redact secrets."""
    signals.setup_logging.connect(lambda **_: None, weak=False)
