"""Applies the migrations in one transaction, and in one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, text

from storage.db.engine import (
    broken_references,
    current_revision,
    make_private_file,
    migrating_engine,
    parse_address,
    reachable,
    reading_engine,
    sqlite_file,
    writing_engine,
)
from storage.db.tables import SCHEMA_REVISION
from storage.errors import MigrationRefused

if TYPE_CHECKING:
    from alembic.config import Config

# Key of the PostgreSQL advisory lock for migrations: an arbitrary number that is the same in every process.
_LOCK: Final = 7_460_811


def upgrade(url: str | URL, revision: str = SCHEMA_REVISION) -> None:
    """Migrate the database to ``revision``, by default the newest one, and create a missing SQLite file.

    Raise BadSetting if the address is not supported, DatabaseUnusable if the connection fails, and MigrationRefused if
    the migration would leave rows that refer to missing rows.
    """
    address = parse_address(url)
    path = sqlite_file(address)
    if path is not None:
        with reachable(address):
            make_private_file(path)
    if current(url) == revision:
        return  # the usual case at startup: not loading Alembic saves half a second
    from alembic import command

    with _migrating(address) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: str | URL, revision: str) -> None:
    """Revert the migrations after ``revision``; ``base`` reverts all migrations and deletes all data."""
    from alembic import command

    with _migrating(parse_address(url)) as connection:
        command.downgrade(_config(connection), revision)


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
