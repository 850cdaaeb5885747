"""Reads the memory usage of running processes from the kernel."""

import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_POLL_INTERVAL: Final = 0.2


def current_memory(process: int) -> int:
    """Return the resident memory of a process in bytes. Raise OSError if the process has ended."""
    return _status(process, "VmRSS")


def peak_memory(process: int) -> int:
    """Return the largest resident memory of a process, in bytes, since its start or the last ``reset_peak``.

    Raise OSError if the process has ended.
    """
    return _status(process, "VmHWM")


def reset_peak(process: int) -> None:
    """Reset ``peak_memory`` to the current memory."""
    Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")


class PeakWatch:
    """Follows the peak memory of a process until the process or the ``with`` block ends.

    The kernel records the peak, so only a rise in the last fraction of a second before the process ends can be missed.
    """

    def __init__(self, process: int) -> None:
        self.peak = 0
        """The largest resident memory so far, in bytes."""
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        is_last = False
        with suppress(OSError):  # the process has ended
            while True:
                self.peak = peak_memory(self._process)
                if is_last:
                    return
                is_last = self._ended.wait(_POLL_INTERVAL)


def _status(process: int, field: str) -> int:
    """Return a field of /proc/PID/status in bytes.

    Raise OSError if the process has ended and no longer has the field.
    """
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {process} has ended")
