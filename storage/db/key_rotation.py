"""Changing the encryption key."""

from sqlalchemy import Table, bindparam, select, update

from storage.db.column_types import EncryptedString
from storage.db.database import UnitOfWork
from storage.db.tables import Base


def rotate_keys(unit: UnitOfWork) -> int:
    """Encrypt everything with the newest key again; how many rows there were.

    Put the new key before the old one, restart, rotate, and then the old key can go. Nobody else can write
    meanwhile, so run it while the bot is stopped. Fingerprints stay as they are.
    """
    return sum(_rotate_table(unit, table) for table in Base.metadata.sorted_tables)


def _rotate_table(unit: UnitOfWork, table: Table) -> int:
    sealed = [column for column in table.columns if isinstance(column.type, EncryptedString)]
    if not sealed:
        return 0
    key = list(table.primary_key)
    rows = unit.execute(select(*key, *sealed).with_for_update()).all()
    change = (
        update(table)
        .where(*(column == bindparam(f"key_{column.name}") for column in key))
        .values({column.name: bindparam(f"new_{column.name}") for column in sealed})
    )
    for row in rows:
        values = {f"key_{column.name}": row._mapping[column] for column in key}
        for column in sealed:
            old = row._mapping[column]
            values[f"new_{column.name}"] = None if old is None else unit.cipher.rotate(old)
        unit.connection().execute(change, values)
    return len(rows)
