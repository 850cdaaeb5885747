"""Tells a worker's child processes that the worker is stopping, and ends them if the worker dies.

Only the worker's main process holds the write end of a pipe, and nothing is ever written to it. When the pipe closes,
the worker is either stopping or dead. If the worker is dead, the lease on its run expires.
"""

import os
import threading
from typing import Final

from core.parent_watch import on_pipe_end

_POLL_INTERVAL: Final = 0.5


class StopWithParent:
    """The link between a worker and its processes. Create it before the worker forks."""

    def __init__(self) -> None:
        self._worker = os.getpid()
        self._read_end, self._write_end = os.pipe()
        self._stopping = threading.Event()

    def signal_stop(self) -> None:
        """Tell every process that the worker is stopping. Call this in the worker. Further calls have no effect."""
        write_end, self._write_end = self._write_end, -1
        if write_end != -1:
            os.close(write_end)

    def follow_worker(self) -> None:
        """Notice when the worker is stopping, and exit if it dies. Call this in a process that the worker forked."""
        self.signal_stop()  # close this process's copy, which would keep the pipe open
        on_pipe_end(self._read_end, self._on_worker_stop)

    def exit_with_worker(self) -> None:
        """Exit if the worker dies. This works in a forked process even if its copy of the pipe is closed."""
        threading.Thread(target=self._wait_for_death_of_worker, name="stop-with-parent", daemon=True).start()

    def stopping(self) -> bool:
        """Return whether the worker is stopping, which only processes that called ``follow_worker`` can tell."""
        return self._stopping.is_set()

    def _on_worker_stop(self) -> None:
        self._stopping.set()
        self._wait_for_death_of_worker()

    def _wait_for_death_of_worker(self) -> None:
        # A worker that shuts down gracefully ends its own processes, so only its death must be handled here.
        while os.getppid() == self._worker:
            threading.Event().wait(_POLL_INTERVAL)
        os._exit(1)
