"""Applies the migrations in one transaction, and in one process at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, text

from storage.db.engine import (
    RESTORING,
    broken_references,
    current_revision,
    make_private_file,
    migrating_engine,
    parse_address,
    reachable,
    reading_engine,
    set_revision,
    sqlite_file,
    writing_engine,
)
from storage.db.tables import SCHEMA_REVISION
from storage.errors import MigrationRefused, RestoreUnfinished, UnknownMigration

if TYPE_CHECKING:
    from alembic.config import Config

# Key of the PostgreSQL advisory lock for migrations: an arbitrary number that is the same in every process.
_LOCK: Final = 7_460_811


def upgrade(url: str | URL, revision: str = SCHEMA_REVISION) -> None:
    """Migrate the database to ``revision`` (by default the newest), creating the SQLite file if necessary.

    Raise BadSetting if the address is not supported, DatabaseUnusable if the connection fails, UnknownMigration if a
    newer release migrated the database, RestoreUnfinished if a restore was interrupted, and MigrationRefused if the
    migration would leave rows that refer to missing rows.
    """
    address = parse_address(url)
    _make_file(address)
    found = current(url)
    if found == revision:
        return  # the usual case at startup: not loading Alembic saves half a second
    if found == RESTORING:
        raise RestoreUnfinished
    if found is not None and not knows(found):
        raise UnknownMigration(found=found)
    from alembic import command

    with _migrating(address) as connection:
        command.upgrade(_config(connection), revision)


@contextmanager
def restoring(url: str | URL, revision: str, check: Callable[[Connection], None]) -> Iterator[Connection]:
    """Create the tables as they were at ``revision``, and migrate them after the block has filled them.

    Everything happens in one transaction. Existing tables are dropped first. ``check`` can raise an error to protect
    them, but isn't called if an interrupted restore created them. No other process can use the database until
    ``finish_restore`` is called.
    """
    from alembic import command

    address = parse_address(url)
    _make_file(address)
    with _migrating(address) as connection:
        found = current_revision(connection)
        if found == RESTORING:
            set_revision(connection, SCHEMA_REVISION)
        elif found is not None and not knows(found):
            raise UnknownMigration(found=found)
        elif found is not None:
            check(connection)
        if found is not None:
            command.downgrade(_config(connection), "base")
        command.upgrade(_config(connection), revision)
        yield connection
        command.upgrade(_config(connection), SCHEMA_REVISION)
        set_revision(connection, RESTORING)


def finish_restore(connection: Connection) -> None:
    """Allow processes to use the restored database."""
    set_revision(connection, SCHEMA_REVISION)


def downgrade(url: str | URL, revision: str) -> None:
    """Revert the migrations after ``revision``. ``base`` reverts all migrations and deletes all data."""
    from alembic import command

    with _migrating(parse_address(url)) as connection:
        command.downgrade(_config(connection), revision)


def knows(revision: str) -> bool:
    """Return whether ``revision`` is one of this release's migrations."""
    from alembic.script import ScriptDirectory

    return any(script.revision == revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions())


def head() -> str:
    """Return the revision of the newest migration."""
    from alembic.script import ScriptDirectory

    newest = ScriptDirectory.from_config(_config(None)).get_current_head()
    if newest is None:
        raise LookupError("no migrations were found next to this module")
    return newest


def current(url: str | URL) -> str | None:
    """Return the database's revision, or None before the first migration, without changing the database."""
    address = parse_address(url)
    path = sqlite_file(address)
    with reachable(address):
        if path is not None and not path.exists():
            return None
    engine = writing_engine(address)
    try:
        with reachable(address), reading_engine(engine).connect() as connection:
            return current_revision(connection)
    finally:
        engine.dispose()


def _make_file(address: URL) -> None:
    """Create the SQLite file if it is missing."""
    path = sqlite_file(address)
    if path is not None:
        with reachable(address):
            make_private_file(path)


@contextmanager
def _migrating(address: URL) -> Iterator[Connection]:
    engine = migrating_engine(address)
    try:
        with reachable(address), engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection
            if broken := broken_references(connection):
                raise MigrationRefused(rows=broken)
    finally:
        engine.dispose()


def _config(connection: Connection | None) -> "Config":
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
