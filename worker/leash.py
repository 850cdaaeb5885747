"""Tells a worker's processes that it stops, and ends them when it is gone.

A pipe that only the worker's main process holds open for writing, and to which nothing is ever written: its end means
that the worker was told to stop, or that it is dead, by whatever signal.
"""

import os
import threading
from typing import Final

# Seconds that a task has to give its run back once its worker is dead.
_GRACE: Final = 10.0
_LOOK_EVERY: Final = 0.5


class Leash:
    """Made before the worker forks; its processes follow it."""

    def __init__(self) -> None:
        self._worker = os.getpid()
        self._end, self._held = os.pipe()
        self._told = threading.Event()
        self._idle = threading.Event()
        self._idle.set()

    def let_go(self) -> None:
        """Tell every process that the worker stops; called in the worker, as often as one likes."""
        held, self._held = self._held, -1
        if held != -1:
            os.close(held)

    def follow(self) -> None:
        """Heed the leash; called in a process that the worker forked."""
        self.let_go()  # this process's own copy, which would keep the pipe open
        threading.Thread(target=self._heed, name="leash", daemon=True).start()

    def outlive_by_a_moment(self) -> None:
        """End soon after the worker's death; called in a forked process whose descriptors were closed."""
        threading.Thread(target=self._end_after_the_worker, name="leash", daemon=True).start()

    def stopping(self) -> bool:
        """Whether the worker was told to stop, or is dead; known in the processes that follow."""
        return self._told.is_set()

    @property
    def idle(self) -> threading.Event:
        """The event that is set while this process has nothing to give back; clear it for the time of a run."""
        return self._idle

    def _heed(self) -> None:
        os.read(self._end, 1)
        self._told.set()
        self._end_after_the_worker()

    def _end_after_the_worker(self) -> None:
        while os.getppid() == self._worker:
            threading.Event().wait(_LOOK_EVERY)  # a worker that stops in order ends its processes itself
        self._idle.wait(_GRACE)
        os._exit(1)
