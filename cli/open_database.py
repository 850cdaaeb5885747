"""Opens the database for one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.settings import Settings
    from storage.db.database import Database


@contextmanager
def open_database(settings: "Settings") -> "Iterator[Database]":
    """Open the database with the keys in ``settings``, and close it when the block ends.

    Raise DatabaseUnusable, SchemaMismatch, KeyMissing or KeyWrong if it can't be opened. Convert database errors in the
    block to DatabaseUnusable.
    """
    from storage.db.database import Database
    from storage.db.encryption import read_keys
    from storage.db.engine import in_use, parse_address

    database = Database.open(settings.database_address, read_keys(settings))
    try:
        with in_use(parse_address(settings.database_address)):
            yield database
    finally:
        database.close()
