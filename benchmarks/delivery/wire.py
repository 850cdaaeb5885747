"""Runs the wire: a playground in a separate process, and a thread that reads its call log."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from benchmarks.delivery.history import WireCall
from playground.client import PlaygroundClient

TOKEN: Final = "7654321:playground-token-for-benchmarks"
_READY: Final = "playground listening on "
_STOP_TIMEOUT: Final = 20.0
# Number of seconds that a request for new calls waits for the first call.
_LONG_POLL: Final = 1


@contextmanager
def playground_server(folder: Path) -> Iterator[PlaygroundClient]:
    """Run a playground on a free port during the block, in a separate process group that Ctrl-C does not stop."""
    command = [sys.executable, "-m", "playground", "--port", "0", "--data-dir", str(folder / "playground")]
    environment = {**os.environ, "TELEGRAM_TOKEN": TOKEN}
    with (
        (folder / "playground.log").open("wb") as log,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        ) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith(_READY):
                raise RuntimeError(f"the playground did not start; see {log.name}")
            with PlaygroundClient(line.removeprefix(_READY).strip(), TOKEN) as client:
                yield client
        finally:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


class WireLog:
    """The calls to sendMessage so far, each with the ``time.monotonic()`` timestamp at which it was read."""

    def __init__(self, client: PlaygroundClient) -> None:
        self._client = client
        self._calls: list[tuple[float, WireCall]] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._seen = 0
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping = True
        self._thread.join(_LONG_POLL + _STOP_TIMEOUT)

    def calls(self) -> tuple[WireCall, ...]:
        """Return all calls so far."""
        return tuple(call for _, call in self.timed_calls())

    def timed_calls(self) -> list[tuple[float, WireCall]]:
        """Return all calls so far, each with the time when it was read."""
        with self._changed:
            return list(self._calls)

    def arrived_since(self, moment: float) -> bool:
        """Return whether a message has arrived since this ``time.monotonic()`` timestamp."""
        for read_at, call in reversed(self.timed_calls()):
            if read_at < moment:
                return False
            if call.arrived:
                return True
        return False

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait up to ``seconds`` for ``condition`` to become true, checking it after every call.

        Return whether it did.
        """
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def _read(self) -> None:
        while not self._stopping:
            try:
                entries = self._client.outbox(self._seen, wait=_LONG_POLL)
            except httpx.HTTPError:
                # The playground is stopping.
                return
            read_at = time.monotonic()
            with self._changed:
                for entry in entries:
                    self._seen = entry["seq"]
                    call = WireCall.parse(entry)
                    if call is not None:
                        self._calls.append((read_at, call))
                self._changed.notify_all()
