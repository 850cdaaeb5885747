"""How the trainer learns that it is to stop: by a signal, or because its standard input ends with its worker."""

import os
import signal
import sys
import threading
import time
from typing import Final, NoReturn

from core.parent_watch import on_pipe_end

# The exit status of a trainer that stopped because it was told to.
STATUS: Final = 130
# Seconds to reach the end of a training step and write a checkpoint; the worker kills what takes longer than its own.
GRACE: Final = 4.0


class StopSignal:
    """Whether the trainer was told to stop.

    Whatever it does, it is gone ``GRACE`` seconds later: all that it writes it renames into place when it is whole.
    """

    def __init__(self) -> None:
        self._asked = False

    def requested(self) -> bool:
        """Whether to stop at the next moment that is good for it."""
        return self._asked

    def request(self) -> None:
        """Stop at the next such moment."""
        self._asked = True

    def check(self, _: int = 0) -> None:
        """Leave now if told to; for work that keeps nothing. Takes the count that inference in chunks reports."""
        if self._asked:
            self.leave()

    def leave(self) -> NoReturn:
        """Leave with the status that says why."""
        sys.exit(STATUS)

    def listen(self, descriptor: int) -> None:
        """Hear SIGTERM and SIGINT, and the end of ``descriptor``, from the main thread on; what comes is not read."""
        woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        # A handler in Python waits until the engine gives the main thread back; the descriptor is written to at once.
        signal.set_wakeup_fd(wakes)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._on_signal, args=(woken,), name="stop", daemon=True).start()
        on_pipe_end(descriptor, self._end)

    def _on_signal(self, woken: int) -> None:
        os.read(woken, 1)
        self._end()

    def _end(self) -> None:
        self.request()
        time.sleep(GRACE)  # an event to wait for does not exist: the main thread either ends the process, or not
        os._exit(STATUS)
