"""Celery's consumer and scheduler, extended to log a broker outage only once instead of at each retry."""

import logging
import warnings
from typing import Any, Final

from celery import beat
from celery.exceptions import CPendingDeprecationWarning
from celery.worker import consumer
from celery.worker.state import maybe_shutdown

from worker.outages import BROKER, BROKER_OUTAGES

logger = logging.getLogger(__name__)

# Seconds between attempts to connect to the broker.
_RETRY: Final = {"interval_start": 1, "interval_step": 1, "interval_max": 5}


class Consumer(consumer.Consumer):
    """Celery's consumer, which receives a worker's messages."""

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Record the outage, and release the connection."""
        BROKER.failed(exc)
        # Celery warns that a default will change, even though the setting has a value.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Record the outage."""
        BROKER.failed(exc)

    def ensure_connected(self, conn: Any) -> Any:  # noqa: ANN401 - kombu's connection, untyped
        """Return the connection once the broker accepts it."""
        connected = conn.ensure_connection(_on_failed_attempt, callback=maybe_shutdown, **_RETRY)
        self.first_connection_attempt = False
        BROKER.succeeded()
        return connected


class Scheduler(beat.Scheduler):
    """Celery's scheduler, which sends the beat's messages."""

    def apply_entry(self, entry: beat.ScheduleEntry, producer: Any = None) -> None:  # noqa: ANN401 - kombu's, untyped
        """Send a scheduled message. If that fails, wait until the next one is due."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except beat.SchedulingError as error:
            if not isinstance(error.__context__, BROKER_OUTAGES):
                logger.exception("Could not send a scheduled message")
            else:
                BROKER.failed(error.__context__)
        else:
            BROKER.succeeded()

    def _ensure_connected(self) -> Any:  # noqa: ANN401 - kombu's connection, untyped
        connected = self.connection.ensure_connection(_on_failed_attempt, **_RETRY)
        BROKER.succeeded()
        return connected


def _on_failed_attempt(error: Exception, _interval: float) -> None:
    BROKER.failed(error)
