"""Applies the migrations, all or none, one process at a time."""

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

# Any number, but the same in every process: PostgreSQL lets one holder of it at a time migrate.
_LOCK: Final = 7_460_811


def upgrade(url: str) -> None:
    """Bring the database to the newest migration; makes the file of a SQLite database that is not there yet.

    Raises BadSetting for an address of another kind, DatabaseUnusable when there is no answer, MigrationRefused when
    rows would be left that belong to none.
    """
    address = parse_address(url)
    path = sqlite_file(address)
    if path is not None:
        with reachable(address):
            make_private_file(path)
    if current(url) == SCHEMA_REVISION:
        return  # as at most starts, and without the half second that Alembic takes to load
    from alembic import command

    with _migrating(address) as connection:
        command.upgrade(_config(connection), "head")


def downgrade(url: str, revision: str) -> None:
    """Take migrations back to ``revision``; ``base`` takes back all of them, and with them all data."""
    from alembic import command

    with _migrating(parse_address(url)) as connection:
        command.downgrade(_config(connection), revision)


def head() -> str:
    """Name the newest migration."""
    from alembic.script import ScriptDirectory

    newest = ScriptDirectory.from_config(_config(None)).get_current_head()
    if newest is None:
        raise LookupError("there are no migrations beside this module")
    return newest


def current(url: str) -> str | None:
    """Name the migration that the database is at, None before the first; changes nothing."""
    address = parse_address(url)
    path = sqlite_file(address)
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
