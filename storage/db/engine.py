"""Engines for SQLite and PostgreSQL, configured so that a unit of work behaves the same on both."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, NotSupportedError, ProgrammingError

from core.errors import BadSetting
from storage.errors import DatabaseUnusable

# Maximum number of seconds that a unit of work waits for a unit in another process.
BUSY_TIMEOUT = 30

# libpq settings for a server that never responds, or that disappeared without closing the connection, for example in a
# power failure. By default, libpq waits for hours or forever. The query in the address may override any of these
# settings.
POSTGRES_TIMEOUTS = {
    "connect_timeout": 10,  # seconds within which the server must accept a connection
    "keepalives_idle": 30,  # seconds without traffic before the first probe
    "keepalives_interval": 10,  # seconds between two probes
    "keepalives_count": 3,  # maximum number of unanswered probes
    "tcp_user_timeout": 60_000,  # milliseconds that sent data may stay unacknowledged
}

# Revision of a database whose restore is not finished yet.
RESTORING = "restoring"

# Many hosting providers give out addresses that begin with postgres://.
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_MISTAKES = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
_ENCODE = "characters such as @ : / ? # [ ] in the password must be percent-encoded, for example @ as %40"


def parse_address(url: str | URL) -> URL:
    """Parse the address of a SQLite file or a PostgreSQL server.

    Raise BadSetting for any other address. Raise the error without a cause, because the cause's message may contain
    part of the password.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise BadSetting(name="DATABASE_URL", reason="it is not a database URL") from None
    except ValueError:
        raise BadSetting(name="DATABASE_URL", reason=f"its port is not a number, or {_ENCODE}") from None
    backend = address.get_backend_name()
    if address.drivername not in (backend, _DRIVERS.get(backend)) or backend not in _DRIVERS:
        reason = f"{address.drivername} is not sqlite or postgresql+psycopg"
        raise BadSetting(name="DATABASE_URL", reason=reason)
    if backend == "sqlite" and address.database in (None, "", ":memory:"):
        raise BadSetting(name="DATABASE_URL", reason="an in-memory database does not survive a restart")
    if backend == "sqlite" and isinstance(url, str) and "?" in url and not address.query:
        reason = "the path of a SQLite file must not contain a question mark; set DATA_DIR instead"
        raise BadSetting(name="DATABASE_URL", reason=reason)
    if backend != "sqlite" and isinstance(url, str) and _password_ends_early(url):
        raise BadSetting(name="DATABASE_URL", reason=_ENCODE)
    if address.port is not None and not 0 < address.port < 65536:
        raise BadSetting(name="DATABASE_URL", reason="its port is not between 1 and 65535")
    return address.set(drivername=_DRIVERS[backend])


def _password_ends_early(url: str) -> bool:
    """Return whether another @ follows the password, other than in the value of a query parameter."""
    location, _, query = url.partition("@")[2].partition("?")
    return "@" in location or any("@" in part.partition("=")[0] for part in query.split("&"))


def sqlite_file(address: URL) -> Path | None:
    """Return the path of the SQLite file, or None if the address is for PostgreSQL."""
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def make_private_file(path: Path) -> None:
    """Create an empty file that only its owner can read, in a folder that only its owner can enter.

    An existing file or folder is left unchanged.

    SQLite gives its journal files the same permissions as the database file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def writing_engine(address: URL) -> Engine:
    """Return an engine for transactions that write. On SQLite, they hold the write lock from their first statement on.

    Errors show the statement without its values, because the values are people's ids and texts.
    """
    if address.get_backend_name() == "postgresql":
        timeouts = {name: value for name, value in POSTGRES_TIMEOUTS.items() if name not in address.query}
        return create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=timeouts)
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrating_engine(address: URL) -> Engine:
    """Return an engine for migrations. On SQLite, it does not enforce foreign keys (see ``broken_references``)."""
    engine = writing_engine(address)
    if engine.dialect.name == "sqlite":
        # Migrations on SQLite replace whole tables, and dropping the old table would delete the rows that refer to it.
        event.listen(engine, "connect", _without_foreign_keys)
    return engine


def broken_references(connection: Connection) -> int:
    """Return the number of rows that refer to missing rows. Only ``migrating_engine`` on SQLite can leave such rows."""
    if connection.dialect.name != "sqlite":
        return 0
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())


def reading_engine(engine: Engine) -> Engine:
    """Return a view of ``engine`` for read-only transactions that each see a single snapshot."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(thumbs_read_only=True)


def truncate_log(engine: Engine, timeout: float) -> bool:
    """Move SQLite's write-ahead log into the database file and truncate it, or return False if a reader prevents that.

    Until it is truncated, the log keeps the old pages of deleted rows, because ``secure_delete`` does not overwrite it.
    Wait at most ``timeout`` seconds for readers and writers. Do nothing on PostgreSQL.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {round(timeout * 1000)}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        result = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}")
        cursor.close()
    finally:
        connection.close()
    return result is not None and not result[0]


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the newest migration in the database, or None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def set_revision(connection: Connection, revision: str) -> None:
    """Replace the revision that the migrations recorded."""
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@contextmanager
def reachable(address: URL) -> Iterator[None]:
    """Convert driver and file system errors to DatabaseUnusable, which hides the password."""
    try:
        yield
    except DatabaseError as error:
        raise _unusable(address, str(error.orig)) from error
    except OSError as error:
        raise _unusable(address, error.strerror or str(error)) from error


@contextmanager
def in_use(address: URL) -> Iterator[None]:
    """Convert errors from a database that becomes unreachable, locked, full or damaged to DatabaseUnusable.

    Let other errors through, because they are bugs in the program.
    """
    try:
        yield
    except DatabaseError as error:
        if isinstance(error, _MISTAKES):
            raise
        raise _unusable(address, str(error.orig)) from error


def _unusable(address: URL, reason: str) -> DatabaseUnusable:
    # The query is left out, because libpq accepts a password in the query too.
    shown = address.set(query={}).render_as_string()
    return DatabaseUnusable(address=shown, reason=" ".join(reason.split()))


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # ``_begin_sqlite`` begins transactions instead of the driver
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # an update that was acknowledged to Telegram must survive a power cut
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
    # A transaction that reads first and takes the write lock later fails immediately if another transaction wrote in
    # between.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
