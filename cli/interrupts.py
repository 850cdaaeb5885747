"""Turns Ctrl-C and SIGTERM into an event."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_event() -> "Iterator[threading.Event]":
    """Yield an event that is set by the first Ctrl-C or SIGTERM, so that a step can finish. A second one interrupts."""
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
