"""The database and its units of work."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast

from sqlalchemy import URL, CursorResult, Delete, Dialect, Engine, Update, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage.db.column_types import utc_now
from storage.db.encryption import Cipher, new_hash_key
from storage.db.engine import (
    RESTORING,
    current_revision,
    parse_address,
    reachable,
    reading_engine,
    sqlite_file,
    truncate_log,
    writing_engine,
)
from storage.db.tables import SCHEMA_REVISION, Base, SecretRow
from storage.errors import RestoreUnfinished, SchemaMismatch

logger = logging.getLogger(__name__)

_HASH_KEY = "hash_key"
# Maximum number of seconds to wait for readers before truncating the log, in a unit that deletes texts.
_TRUNCATE_TIMEOUT: Final = 1.0


class UnitOfWork(Session):
    """A transaction, with the cipher that encrypts and decrypts its rows."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        super().__init__(engine)
        self.cipher = cipher
        self.deletes_texts = False

    def erase_traces(self) -> None:
        """Clear SQLite's write-ahead log after the commit, so that it keeps no texts that this unit deletes."""
        self.deletes_texts = True

    def now(self) -> datetime:
        """Return the database's current time, for comparisons between processes on different machines.

        On SQLite, use the machine's clock, because all processes that share the file run on one machine.
        """
        if self.get_bind().dialect.name != "postgresql":
            return utc_now()
        return cast("datetime", self.scalar(select(func.clock_timestamp()))).astimezone(UTC)

    def insert(self, table: type[Base]) -> "sqlite.Insert | postgresql.Insert":
        """Return an INSERT that supports ON CONFLICT, which SQLAlchemy provides only per dialect."""
        return _insert(self.get_bind().dialect, table)

    def change(self, statement: Update | Delete) -> int:
        """Execute an UPDATE or DELETE, and return the number of rows that it changed."""
        unsynchronised = statement.execution_options(
            synchronize_session=False
        )  # no function in storage keeps row objects
        return cast("CursorResult[Any]", self.execute(unsynchronised)).rowcount


class Database:
    """An open database. Threads can share it, but each process must open its own."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._write_engine = engine
        self._read_engine = reading_engine(engine)
        self._cipher = cipher
        self._log_has_deleted_texts = False

    @classmethod
    def open(cls, url: str | URL, keys: Sequence[str], revision: str = SCHEMA_REVISION) -> "Database":
        """Connect, and check the schema revision and the keys. The first call creates the hash key.

        Raise BadSetting if the address is not supported, DatabaseUnusable if the connection fails, and KeyWrong if the
        database was encrypted with other keys. Raise SchemaMismatch or RestoreUnfinished if its schema is not at
        ``revision``.
        """
        address = parse_address(url)
        path = sqlite_file(address)
        with reachable(address):
            if path is not None and not path.exists():
                raise SchemaMismatch(found="none", needed=SCHEMA_REVISION)
        engine = writing_engine(address)
        try:
            with reachable(address):
                _check_schema(engine, revision)
                return cls(engine, Cipher(keys, _stored_hash_key(engine, keys)))
        except BaseException:
            engine.dispose()
            raise

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Open a unit that commits at the end and rolls back on an exception.

        On SQLite, the unit holds the write lock, so do not wait for the network or a model inside it.
        """
        with UnitOfWork(self._write_engine, self._cipher) as unit, unit.begin():
            yield unit
        if unit.deletes_texts or self._log_has_deleted_texts:
            self._truncate_log(_TRUNCATE_TIMEOUT if unit.deletes_texts else 0.0)

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """Open a read-only unit that sees a single snapshot. Writing in this unit raises the driver's error."""
        with UnitOfWork(self._read_engine, self._cipher) as unit:
            yield unit
            unit.flush()  # a pending write is refused here instead of being dropped silently

    def _truncate_log(self, timeout: float) -> None:
        """Truncate the log. If another process is reading it, each later unit tries again without waiting."""
        try:
            truncated = truncate_log(self._write_engine, timeout)
        except (sqlite3.Error, DBAPIError):  # the unit is committed, so its caller must not see an error
            logger.warning("Could not truncate the write-ahead log; will retry", exc_info=True)
            truncated = False
        self._log_has_deleted_texts = not truncated

    def close(self) -> None:
        """Close every connection."""
        self._write_engine.dispose()


def _check_schema(engine: Engine, needed: str) -> None:
    with reading_engine(engine).connect() as connection:
        found = current_revision(connection)
    if found == needed:
        return
    if found == RESTORING:
        raise RestoreUnfinished
    raise SchemaMismatch(found=found or "none", needed=needed)


def _stored_hash_key(engine: Engine, keys: Sequence[str]) -> bytes:
    stored = select(SecretRow.value).where(SecretRow.name == _HASH_KEY)
    with engine.begin() as connection:
        value: bytes | None = connection.scalar(stored)
        if value is not None:
            return value
        new = _insert(engine.dialect, SecretRow).values(name=_HASH_KEY, value=new_hash_key(keys))
        connection.execute(new.on_conflict_do_nothing())
        return connection.scalars(stored).one()


def _insert(dialect: Dialect, table: type[Base]) -> "sqlite.Insert | postgresql.Insert":
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)
