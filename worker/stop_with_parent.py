"""Tells a worker's processes that it stops, and ends them when it is dead.

A pipe that only the worker's main process holds open for writing, and to which nothing is ever written: its end means
that the worker was told to stop, or that it is dead. Dead, it leaves the run's lease behind, which lapses.
"""

import os
import threading
from typing import Final

from core.parent_watch import on_pipe_end

_LOOK_EVERY: Final = 0.5


class StopWithParent:
    """Made before the worker forks; its processes follow it."""

    def __init__(self) -> None:
        self._worker = os.getpid()
        self._end, self._held = os.pipe()
        self._told = threading.Event()

    def signal_stop(self) -> None:
        """Tell every process that the worker stops; called in the worker, as often as one likes."""
        held, self._held = self._held, -1
        if held != -1:
            os.close(held)

    def follow(self) -> None:
        """Heed the leash; called in a process that the worker forked."""
        self.signal_stop()  # this process's own copy, which would keep the pipe open
        on_pipe_end(self._end, self._stop)

    def end_with_the_worker(self) -> None:
        """End when the worker is dead; called in a forked process, also one whose descriptors were closed."""
        threading.Thread(target=self._watch, name="leash", daemon=True).start()

    def stopping(self) -> bool:
        """Whether the worker was told to stop; known in the processes that follow."""
        return self._told.is_set()

    def _stop(self) -> None:
        self._told.set()
        self._watch()

    def _watch(self) -> None:
        while os.getppid() == self._worker:
            threading.Event().wait(_LOOK_EVERY)  # a worker that stops in order ends its processes itself
        os._exit(1)
