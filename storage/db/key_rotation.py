"""Re-encrypts the database with a new key."""

from sqlalchemy import Table, bindparam, select, update

from storage.db.column_types import EncryptedString
from storage.db.database import UnitOfWork
from storage.db.tables import Base


def rotate_keys(unit: UnitOfWork) -> int:
    """Encrypt everything again with the newest key, and return the number of rows.

    Put the new key before the old one, restart, rotate, then remove the old key. Nothing else can write in the
    meantime, so stop the bot first. Fingerprints do not change.
    """
    return sum(_rotate_table(unit, table) for table in Base.metadata.sorted_tables)


def _rotate_table(unit: UnitOfWork, table: Table) -> int:
    encrypted = [column for column in table.columns if isinstance(column.type, EncryptedString)]
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
