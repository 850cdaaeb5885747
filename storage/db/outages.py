"""The errors that reads and writes raise while the database is locked, unreachable or broken."""

from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from storage.errors import DatabaseUnusable, StorageError

# Errors that a read or write may raise if the database is locked, unreachable or broken.
DATABASE_ERRORS: Final = (SQLAlchemyError, StorageError)
# Temporary errors, raised while the database is locked or unreachable, when any read or write would fail.
DATABASE_OUTAGES: Final = (OperationalError, InterfaceError, PoolTimeoutError, DatabaseUnusable)
