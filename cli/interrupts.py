"""Handles Ctrl-C and SIGTERM in commands."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Make SIGTERM raise SystemExit, just as Ctrl-C raises KeyboardInterrupt, so that half-written files are removed.

    Processes with a graceful shutdown replace this handler.
    """
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
