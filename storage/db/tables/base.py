"""The declarative base for every table, and the revision of the matching migration."""

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase

from storage.db.column_types import UtcDateTime

# Revision of the migration that matches these tables; a test checks that it is the newest migration.
SCHEMA_REVISION: Final = "0013"


class Base(DeclarativeBase):
    """The declarative base, which names every constraint so that migrations can alter it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger(), datetime: UtcDateTime()}
    __table_args__: Any = {"sqlite_autoincrement": True}  # noqa: RUF012 - the declarative base reads it by this name


def cascade(column: str) -> ForeignKey:
    """Return a foreign key that deletes its row when the referenced row is deleted."""
    return ForeignKey(column, ondelete="CASCADE")
