"""Stops the trainer on a signal, or when its standard input closes because the worker has ended."""

import os
import signal
import sys
import threading
import time
from typing import Final, NoReturn

from core.parent_watch import on_pipe_end

# The exit status of a trainer that was told to stop.
EXIT_STATUS: Final = 130
# Maximum number of seconds for finishing a training step and writing a checkpoint. The worker's grace period is longer.
GRACE: Final = 4.0


class StopSignal:
    """Whether the trainer has been told to stop.

    The process exits at most ``GRACE`` seconds later, no matter what it is doing. Exiting is safe, because every file
    is written atomically.
    """

    def __init__(self) -> None:
        self._requested = False

    def requested(self) -> bool:
        """Return whether the trainer should stop at the next convenient moment."""
        return self._requested

    def request(self) -> None:
        """Make the trainer stop at the next convenient moment."""
        self._requested = True

    def check(self, _: int = 0) -> None:
        """Exit now if told to stop.

        Call this during work that saves no checkpoints. The unused argument makes the method usable as an ``Advance``
        callback.
        """
        if self._requested:
            self.exit()

    def exit(self) -> NoReturn:
        """Exit with the status for a trainer that was told to stop."""
        sys.exit(EXIT_STATUS)

    def listen(self, descriptor: int) -> None:
        """Stop on SIGTERM or SIGINT, or when ``descriptor`` closes. Call this in the main thread."""
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        # A Python signal handler would have to wait while the engine blocks the main thread, but this pipe is written
        # to immediately.
        signal.set_wakeup_fd(write_end)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._on_signal, args=(read_end,), name="stop", daemon=True).start()
        on_pipe_end(descriptor, self._stop)

    def _on_signal(self, read_end: int) -> None:
        os.read(read_end, 1)
        self._stop()

    def _stop(self) -> None:
        self.request()
        time.sleep(GRACE)  # not waiting for an event, because the main thread usually ends the process in the meantime
        os._exit(EXIT_STATUS)
