"""Simulates people who write texts at a steady rate, and injects wire faults."""

import threading
import time
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Final, Self

from benchmarks.delivery.history import SentText
from playground.client import PlaygroundClient
from tests.small_model import HATED, LIKED

_FIRST_PERSON: Final = 1000


@dataclass(frozen=True, slots=True)
class WireFault:
    """A playground fault that affects the next call to ``method``. ``rate`` is the number of faults per text."""

    kind: str
    method: str
    rate: float
    seconds: float = 3.0
    retry_after: int = 1


FAULTS: Final = (
    WireFault("429", "sendMessage", 0.01),
    WireFault("500", "sendMessage", 0.01),
    WireFault("html_502", "sendMessage", 0.005),
    WireFault("slow", "sendMessage", 0.01, seconds=0.3),
    WireFault("answer_lost", "sendMessage", 0.0003),
    WireFault("dropped_before", "sendMessage", 0.0003),
    WireFault("duplicate_update", "*", 0.01),
)
"""Faults with their rates. A reply becomes uncertain when the connection is cut during sendMessage."""
POLLING_FAULTS: Final = (
    WireFault("500", "getUpdates", 0.001),
    WireFault("answer_lost", "getUpdates", 0.001),
    WireFault("dropped_before", "getUpdates", 0.001),
)
"""Additional faults for a bot that polls."""
WEBHOOK_FAULTS: Final = (WireFault("out_of_order", "*", 0.01),)
"""Additional faults for webhook updates, because getUpdates never returns updates out of order."""


@dataclass(frozen=True, slots=True)
class Load:
    """``people`` people take turns, and together write ``rate`` texts per second."""

    rate: float
    people: int


class People:
    """A thread that writes texts and adds faults until stopped."""

    def __init__(self, client: PlaygroundClient, load: Load, faults: tuple[WireFault, ...], seed: str) -> None:
        self._client = client
        self._load = load
        self._faults = faults
        self._random = Random(seed)
        self._sent: list[tuple[float, SentText]] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join()

    def sent(self) -> list[tuple[float, SentText]]:
        """Return all texts so far, each with the ``time.monotonic()`` timestamp at which it was accepted."""
        with self._changed:
            return list(self._sent)

    def wait_for_next_text(self) -> float:
        """Wait for the next text and return its time. Raise RuntimeError if the people have stopped writing."""
        with self._changed:
            known = len(self._sent)
            if not self._changed.wait_for(lambda: len(self._sent) > known, timeout=30):
                raise RuntimeError("the people have stopped writing") from self._error
            return self._sent[-1][0]

    def stop(self) -> None:
        """Stop writing, cancel the faults, and release any update held back by a fault. Re-raise any error."""
        self._stopping.set()
        self._thread.join()
        if self._error is not None:
            raise RuntimeError("people could not write") from self._error
        self._client.clear_faults()
        self._send(_FIRST_PERSON + self._load.people)

    def _write(self) -> None:
        try:
            turns = list(range(_FIRST_PERSON, _FIRST_PERSON + self._load.people))
            self._random.shuffle(turns)
            start = time.monotonic()
            # The texts follow a schedule so that the rate does not depend on the machine's load.
            while not self._stopping.wait(max(0.0, start + self._next_turn() / self._load.rate - time.monotonic())):
                for fault in self._faults:
                    if self._random.random() < fault.rate:
                        self._client.fault(
                            fault.kind, fault.method, seconds=fault.seconds, retry_after=fault.retry_after
                        )
                self._send(turns[len(self._sent) % len(turns)])
        # Any error that ends this thread is raised again in the thread that kills processes.
        except Exception as error:
            self._error = error

    def _next_turn(self) -> float:
        """Return when the next text is due, in turns since the start.

        The time varies at random by up to half a turn.
        """
        return len(self._sent) + self._random.uniform(0.5, 1.5)

    def _send(self, person: int) -> None:
        sentence = self._random.choice((*LIKED, *HATED))
        message = self._client.message(f"{sentence} It is film number {len(self._sent)} on my list.", user_id=person)
        with self._changed:
            self._sent.append((time.monotonic(), SentText(person, message["message_id"])))
            self._changed.notify_all()
