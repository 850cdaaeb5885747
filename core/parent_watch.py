"""Detects that the parent process has exited, by watching for the end of a pipe that only the parent can write to.

Nothing is ever written to such a pipe. The kernel closes the pipe when the parent exits or is killed, so no process
outlives its parent. ``PR_SET_PDEATHSIG`` would do the same, but only on Linux, and it needs code between fork and exec.
"""

import os
import threading
from collections.abc import Callable


def on_pipe_end(descriptor: int, act: Callable[[], None]) -> None:
    """Call ``act`` in a daemon thread once the pipe behind ``descriptor`` ends. Ignore the pipe's content."""
    threading.Thread(target=_wait, args=(descriptor, act), name="parent-watch", daemon=True).start()


def _wait(descriptor: int, act: Callable[[], None]) -> None:
    while os.read(descriptor, 4096):
        pass
    act()
