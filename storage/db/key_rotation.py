"""Re-encrypts the database with a new key, and finds rows that still need an older key."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Table, bindparam, select, update

from storage.db.column_types import EncryptedString
from storage.db.database import UnitOfWork
from storage.db.tables import Base
from storage.errors import KeyWrong

# Number of rows to sample at each end of a table's primary key.
_SAMPLE: Final = 200


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The names of the tables with rows that need an older key, and of those with rows that no key decrypts."""

    older: list[str]
    unknown: list[str]


def rotate_keys(unit: UnitOfWork) -> int:
    """Re-encrypt everything with the newest key, and return how many rows were re-encrypted.

    List the new key before the old one, restart, rotate, then remove the old key. The rotation blocks all other writes,
    so stop the bot first. Fingerprints do not change.
    """
    unit.erase_traces()
    return sum(_rotate_table(unit, table) for table in Base.metadata.sorted_tables)


def sample_keys(unit: UnitOfWork) -> KeyUse:
    """Check the oldest and the newest rows in every encrypted table against the newest key."""
    use = KeyUse([], [])
    for table in Base.metadata.sorted_tables:
        try:
            older = [value for value in _sample(unit, table) if unit.cipher.needs_older_key(value)]
        except KeyWrong:
            use.unknown.append(table.name)
            continue
        if older:
            use.older.append(table.name)
    return use


def _sample(unit: UnitOfWork, table: Table) -> list[bytes]:
    encrypted = _encrypted_columns(table)
    if not encrypted:
        return []
    key = list(table.primary_key)
    ends = (key, [column.desc() for column in key])
    rows = [row for end in ends for row in unit.execute(select(*encrypted).order_by(*end).limit(_SAMPLE))]
    return [value for row in rows for value in row if value is not None]


def _encrypted_columns(table: Table) -> list[Column[bytes]]:
    return [column for column in table.columns if isinstance(column.type, EncryptedString)]


def _rotate_table(unit: UnitOfWork, table: Table) -> int:
    encrypted = _encrypted_columns(table)
    if not encrypted:
        return 0
    key = list(table.primary_key)
    rows = unit.execute(select(*key, *encrypted).with_for_update()).all()
    change = (
        update(table)
        .where(*(column == bindparam(f"key_{column.name}") for column in key))
        .values({column.name: bindparam(f"new_{column.name}") for column in encrypted})
    )
    for row in rows:
        values = {f"key_{column.name}": row._mapping[column] for column in key}
        for column in encrypted:
            old = row._mapping[column]
            values[f"new_{column.name}"] = None if old is None else unit.cipher.rotate(old)
        unit.connection().execute(change, values)
    return len(rows)
