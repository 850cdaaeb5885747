"""Runs a module as a program that exits when its parent process does.

``python -m cli.demo.run_with_parent DESCRIPTOR MODULE [ARGUMENT]...`` reads from a pipe that only the parent holds open
for writing. Nothing is ever written to the pipe. When the pipe closes, the parent has exited, for whatever reason.
"""

import os
import runpy
import signal
import sys
import time

from core.parent_watch import on_pipe_end

# Seconds to wait between SIGTERM and SIGKILL.
GRACE = 5.0


def main(arguments: list[str]) -> None:
    """Run the ``arguments[1]`` module with the remaining arguments. ``arguments[0]`` is the pipe's descriptor."""
    descriptor, module = int(arguments[0]), arguments[1]
    os.set_inheritable(descriptor, False)
    on_pipe_end(descriptor, _stop)
    sys.argv = [module, *arguments[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)  # there is no event to wait for; if the program exits in time, this thread ends too
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
