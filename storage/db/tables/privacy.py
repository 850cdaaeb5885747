"""The consent ledger, and the secret key for hashing texts."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.db.column_types import EncryptedString, RowId, enum_column, utc_now
from storage.db.states import (
    Consent,
)
from storage.db.tables.base import Base, cascade


class ConsentRow(Base):
    """A line in the consent ledger. Lines are only ever added, and the newest one is in effect."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(cascade("people.id"), index=True)
    scope: Mapped[str] = mapped_column(String(32))
    consent: Mapped[Consent] = mapped_column(enum_column(Consent))
    wording: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SecretRow(Base):
    """A random key, encrypted with the encryption key. The encryption key itself is kept outside the database."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[bytes] = mapped_column(EncryptedString)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
