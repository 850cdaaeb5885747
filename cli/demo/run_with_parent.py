"""Runs a module as its program, and ends it when the process that started it is gone.

``python -m cli.demo.run_with_parent DESCRIPTOR MODULE [ARGUMENT]...`` reads from a pipe that only the starting process
holds open for writing. Nothing is ever written: the pipe's end means that the starter ended, by whatever signal.
"""

import os
import runpy
import signal
import sys
import time

from core.parent_watch import on_pipe_end

# Seconds between asking the program to stop and ending it.
GRACE = 5.0


def main(arguments: list[str]) -> None:
    """Run module ``arguments[1]`` with the rest as its arguments; descriptor ``arguments[0]`` is the parent's pipe."""
    descriptor, module = int(arguments[0]), arguments[1]
    os.set_inheritable(descriptor, False)
    on_pipe_end(descriptor, _end)
    sys.argv = [module, *arguments[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)  # an event to wait for does not exist: the program either ends in time, or not
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
