"""Engines: what SQLite and PostgreSQL each need so that a unit of work means the same on both."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError

from core.errors import BadSetting
from storage.errors import DatabaseUnusable

# Seconds that a unit of work waits for another process to finish its own.
BUSY_TIMEOUT = 30

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


def parse_address(url: str) -> URL:
    """Take the address apart; raises BadSetting when it is not a SQLite file or a PostgreSQL server."""
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise BadSetting(name="DATABASE_URL", reason="it is not a database address") from error
    backend = address.get_backend_name()
    if address.drivername not in (backend, _DRIVERS.get(backend)) or backend not in _DRIVERS:
        reason = f"{address.drivername} is not sqlite or postgresql+psycopg"
        raise BadSetting(name="DATABASE_URL", reason=reason)
    if backend == "sqlite" and address.database in (None, "", ":memory:"):
        raise BadSetting(name="DATABASE_URL", reason="a database in memory does not survive a restart")
    return address.set(drivername=_DRIVERS[backend])


def sqlite_file(address: URL) -> Path | None:
    """Find the file of a SQLite address, None for PostgreSQL."""
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def make_private_file(path: Path) -> None:
    """Make an empty file that only its owner may read, in a folder of the same kind; what exists stays as it is.

    SQLite gives its journal files the permissions of the database file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def writing_engine(address: URL) -> Engine:
    """Make an engine whose transactions may write; on SQLite they hold the write lock from their first statement.

    Errors name the statement without its values, which are people's ids and texts.
    """
    if address.get_backend_name() == "postgresql":
        return create_engine(address, hide_parameters=True, pool_pre_ping=True)
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrating_engine(address: URL) -> Engine:
    """Make an engine for migrations; those of SQLite replace tables that others refer to, see ``broken_references``."""
    engine = writing_engine(address)
    if engine.dialect.name == "sqlite":
        # A table that goes while its successor waits under another name would take along what refers to it.
        event.listen(engine, "connect", _without_foreign_keys)
    return engine


def broken_references(connection: Connection) -> int:
    """How many rows refer to none, which only a transaction of ``migrating_engine`` on SQLite could leave."""
    if connection.dialect.name != "sqlite":
        return 0
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())


def reading_engine(engine: Engine) -> Engine:
    """Make a view of ``engine`` whose transactions see one snapshot and are refused every write."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(thumbs_read_only=True)


def current_revision(connection: Connection) -> str | None:
    """Name the migration that the database is at, None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


@contextmanager
def reachable(address: URL) -> Iterator[None]:
    """Turn errors of the driver and the file system into DatabaseUnusable, which hides the address's password."""
    try:
        yield
    except DatabaseError as error:
        raise _unusable(address, str(error.orig)) from error
    except OSError as error:
        raise _unusable(address, error.strerror or str(error)) from error


def _unusable(address: URL, reason: str) -> DatabaseUnusable:
    return DatabaseUnusable(address=address.render_as_string(), reason=" ".join(reason.split()))


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: ``_begin_sqlite`` does
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # what Telegram was told is received must survive a power cut
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _without_foreign_keys(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("thumbs_read_only", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {int(read_only)}")
    # A transaction that reads first and asks for the write lock later is refused at once when another wrote between.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
