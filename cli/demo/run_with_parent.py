"""Runs a module as its program, and ends it when the process that started it is gone.

``python -m cli.demo.run_with_parent DESCRIPTOR MODULE [ARGUMENT]...`` reads from a pipe that only the starting process
holds open for writing. Nothing is ever written: the pipe's end means that the starter ended, by whatever signal.
"""

import os
import runpy
import signal
import sys
import threading
import time

# Seconds between asking the program to stop and ending it.
GRACE = 5.0


def main(arguments: list[str]) -> None:
    """Run ``arguments[1]`` with the rest as its arguments, on the leash that descriptor ``arguments[0]`` is."""
    descriptor, module = int(arguments[0]), arguments[1]
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_end_with, args=(descriptor,), name="leash", daemon=True).start()
    sys.argv = [module, *arguments[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)  # an event to wait for does not exist: the program either ends in time, or not
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
