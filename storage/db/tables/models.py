"""Published models, changes to the live model, and the bot instances that serve it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.db.column_types import RowId, utc_now
from storage.db.tables.base import Base


class ModelVersionRow(Base):
    """A published model.

    At most one is live. The model classified ``tested_right`` out of ``tested`` reviews correctly.
    """

    __tablename__ = "model_versions"
    __table_args__ = (
        Index("uq_model_versions_live", "live", unique=True, sqlite_where=text("live"), postgresql_where=text("live")),
    )

    version: Mapped[str] = mapped_column(primary_key=True)
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    location: Mapped[str]
    live: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("training_runs.id"))
    removed_at: Mapped[datetime | None]
    tested: Mapped[int | None]
    tested_right: Mapped[int | None]


class ModelChangeRow(Base):
    """A change to the live model. Rows are only added. ``who`` is a Telegram id, or None for the gate or a command."""

    __tablename__ = "model_changes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    who: Mapped[int | None]
    from_version: Mapped[str | None] = mapped_column(ForeignKey("model_versions.version"))
    to_version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    why: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class InstanceRow(Base):
    """A bot instance and the version that it serves. ``refusal`` says why it did not load ``refused_version``."""

    __tablename__ = "serving"
    __table_args__ = ()

    process: Mapped[str] = mapped_column(String(64), primary_key=True)
    bot_id: Mapped[int]
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    since: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    refused_version: Mapped[str | None]
    refusal: Mapped[str | None]
