"""Ctrl-C and SIGTERM as an event."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_event() -> "Iterator[threading.Event]":
    """An event that Ctrl-C and SIGTERM set, instead of breaking in between two steps; a second one breaks in."""
    event = threading.Event()

    def stop(*_: object) -> None:
        event.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        restore()
