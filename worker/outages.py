"""Outages of the database and the broker, which each of the worker's processes logs only once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kombu.exceptions import OperationalError

from core.outages import Outage
from storage.db.outages import DATABASE_OUTAGES

DATABASE: Final = Outage("The database")
BROKER: Final = Outage("The broker")
# Errors that are raised if the broker's server is unreachable.
BROKER_OUTAGES: Final = (OperationalError, ConnectionError, TimeoutError)


@contextmanager
def unless_database_is_away() -> Iterator[None]:
    """Run a block that will be repeated anyway.

    If the database is unavailable, end the block and log the outage once.
    """
    try:
        yield
    except DATABASE_OUTAGES as error:
        DATABASE.failed(error)
    else:
        DATABASE.succeeded()


@contextmanager
def unless_broker_is_away() -> Iterator[None]:
    """Run a block that will be repeated anyway. If the broker is unavailable, end the block and log the outage once."""
    try:
        yield
    except BROKER_OUTAGES as error:
        BROKER.failed(error)
    else:
        BROKER.succeeded()
