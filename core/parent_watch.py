"""Notices that the parent process is gone, by the end of a pipe that only the parent holds open for writing.

Nothing is ever written to such a pipe. The kernel closes it when the parent dies, by whatever signal, so no process
outlives its parent. ``PR_SET_PDEATHSIG`` would do the same on Linux only, and needs code between fork and exec.
"""

import os
import threading
from collections.abc import Callable


def on_pipe_end(descriptor: int, act: Callable[[], None]) -> None:
    """Call ``act`` in a daemon thread once the pipe that ``descriptor`` reads from has ended; ignore its content."""
    threading.Thread(target=_wait, args=(descriptor, act), name="parent-watch", daemon=True).start()


def _wait(descriptor: int, act: Callable[[], None]) -> None:
    while os.read(descriptor, 4096):
        pass
    act()
