"""Reads and writes a table's rows as JSON, in the same format for SQLite and PostgreSQL, without decrypting them."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Date, DateTime, LargeBinary, MetaData, Table, func, insert, inspect, select, text

from storage.db.tables import Base

JsonRow = dict[str, Any]
# Maximum number of rows in one INSERT.
_CHUNK: Final = 500
# Gap between the last id in a backup and the next id. Buttons in old messages may contain ids from after the backup.
_ID_GAP: Final = 1_000_000


def tables_in(connection: Connection) -> list[Table]:
    """Return Thumbs' tables as the database defines them, each after the tables that its foreign keys refer to.

    Other programs' tables in the same database are left out.
    """
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name in Base.metadata.tables)
    return metadata.sorted_tables


def read_rows(connection: Connection, table: Table) -> Iterator[JsonRow]:
    """Yield every row in primary-key order. Bytes are encoded in base64, and times and dates in ISO 8601."""
    rows = connection.execution_options(yield_per=_CHUNK).execute(select(table).order_by(*table.primary_key))
    for row in rows.mappings():
        yield {name: _to_json(value) for name, value in row.items()}


def write_rows(connection: Connection, table: Table, rows: Iterable[JsonRow]) -> int:
    """Insert the rows, and return how many were inserted."""
    left, count = iter(rows), 0
    while chunk := [_from_json(table, row) for row in islice(left, _CHUNK)]:
        connection.execute(insert(table), chunk)
        count += len(chunk)
    return count


def last_ids(connection: Connection, tables: Iterable[Table]) -> dict[str, int]:
    """Return the last id assigned in each table, even if that row has since been deleted."""
    found = {}
    for table in tables:
        sequence = _sequence(connection, table)
        if sequence is not None:
            found[table.name] = int(connection.scalar(sequence) or 0)
    return found


def advance_ids(connection: Connection, tables: Iterable[Table], last: Mapping[str, int]) -> None:
    """Make every table continue with ids far above the last one that it assigned before the backup."""
    for table in tables:
        if table.name not in last:
            continue
        next_id = {"id": last[table.name] + _ID_GAP, "name": table.name}
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :id)"), next_id)
        else:
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), next_id)
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :id)"), next_id)


def _sequence(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - a SELECT of either dialect, or None
    """Return a SELECT for the last id assigned in ``table``, or None if its ids are not assigned automatically."""
    if connection.dialect.name != "postgresql":
        numbered = "AUTOINCREMENT" in (connection.scalar(_sqlite_definition(table)) or "").upper()
        return (
            text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table.name) if numbered else None
        )
    if not any(column.get("autoincrement") for column in inspect(connection).get_columns(table.name)):
        return None
    sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, "id")))
    return text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}") if sequence else None  # noqa: S608 - the name comes from the catalogue


def _sqlite_definition(table: Table) -> Any:  # noqa: ANN401 - a SELECT
    return text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name").bindparams(name=table.name)


def _to_json(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value


def _from_json(table: Table, row: JsonRow) -> JsonRow:
    return {name: _typed(table, name, value) for name, value in row.items()}


def _typed(table: Table, name: str, value: Any) -> object:  # noqa: ANN401 - whatever JSON holds
    kind = table.columns[name].type
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return b64decode(value, validate=True)
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(value)
        return moment if kind.timezone else moment.replace(tzinfo=None)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return bool(value) if kind.python_type is bool else value
