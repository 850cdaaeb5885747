"""The ciphertexts in a database, and the pieces of them that would show that they are still in a file."""

from collections.abc import Collection

from sqlalchemy import select

from storage.db.column_types import EncryptedString
from storage.db.database import UnitOfWork
from storage.db.tables import Base


def encrypted_values(unit: UnitOfWork, kept: tuple[str, ...] = ()) -> set[bytes]:
    """Return the ciphertexts in every table except those in ``kept``."""
    columns = [
        column
        for table in Base.metadata.sorted_tables
        if table.name not in kept
        for column in table.columns
        if isinstance(column.type, EncryptedString)
    ]
    return {value for column in columns for value in unit.scalars(select(column)) if value is not None}


def pieces_of(ciphertexts: Collection[bytes]) -> set[bytes]:
    """Return a piece from every 512 bytes of each ciphertext, because a long one spans several database pages."""
    return {ciphertext[at : at + 64] for ciphertext in ciphertexts for at in range(0, len(ciphertext) - 63, 512)}
