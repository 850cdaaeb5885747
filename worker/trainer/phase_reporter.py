"""Reports a trainer's phases as events, at most once a second."""

import time
from collections.abc import Callable
from typing import Final

from worker.trainer.protocol import Phase

# Seconds between two events about one phase.
_INTERVAL: Final = 1.0


class PhaseReporter:
    """Emits events when a phase begins and while it reads texts. Implements ``ml.serving.chunked.Phases``.

    ``check`` is called whenever texts have been read, and can cancel the phase by raising an error.
    """

    def __init__(self, emit: Callable[[Phase], None], check: Callable[[], None]) -> None:
        self._emit = emit
        self._check = check
        self._phase: Phase | None = None
        self._emitted_at = 0.0

    def begin(self, phase: str, texts: int) -> None:
        """Begin a phase that reads ``texts`` texts, or an unknown number if ``texts`` is 0."""
        self._check()
        self._report(Phase(phase, 0, texts))

    def advance(self, texts: int) -> None:
        """Record that the phase has read this many more texts."""
        self._check()
        if self._phase is None or not texts:
            return
        self._phase = Phase(self._phase.phase, self._phase.done + texts, self._phase.total)
        if time.monotonic() - self._emitted_at >= _INTERVAL:
            self._report(self._phase)

    def _report(self, phase: Phase) -> None:
        self._phase, self._emitted_at = phase, time.monotonic()
        self._emit(phase)
