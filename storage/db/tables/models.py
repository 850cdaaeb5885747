"""Published models, changes to the live model, and the bot instances that serve it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.db.column_types import RowId, enum_column, utc_now
from storage.db.states import TrialState
from storage.db.tables.base import Base, cascade


class ModelVersionRow(Base):
    """A published model.

    At most one model is live. ``tested_right`` is how many of the ``tested`` reviews the model classified correctly.
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


class TrialRow(Base):
    """A model on trial, and the ``champion`` that goes live again if the trial fails. At most one trial is running.

    ``started_by`` and ``ended_by`` are Telegram ids, or None for the gate or a command. ``evidence`` is the worker's
    newest record of the votes since the trial started. The evidence contains no user's text.
    """

    __tablename__ = "trials"
    __table_args__ = (
        Index(
            "uq_trials_running",
            "state",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[int] = mapped_column(cascade("training_runs.id"), index=True)
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    champion: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    state: Mapped[TrialState] = mapped_column(enum_column(TrialState), default=TrialState.RUNNING)
    started_by: Mapped[int | None]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_by: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    why: Mapped[str | None]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class TrialTextRow(Base):
    """A text with votes that the model on trial classified, and the champion's label for it."""

    __tablename__ = "trial_texts"
    __table_args__ = ()

    trial_id: Mapped[int] = mapped_column(cascade("trials.id"), primary_key=True, autoincrement=False)
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    message_id: Mapped[int] = mapped_column(cascade("messages.id"), index=True)
    champion_label: Mapped[str] = mapped_column(String(16))


class LookRow(Base):
    """A look at the votes that could promote a model for good, and the ``alpha`` that it spent.

    Either a run or a trial looked at the votes on ``texts`` texts to compare its model with ``champion``.
    """

    __tablename__ = "gate_looks"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[int | None] = mapped_column(cascade("training_runs.id"), unique=True)
    trial_id: Mapped[int | None] = mapped_column(cascade("trials.id"), index=True)
    champion: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    texts: Mapped[int]
    alpha: Mapped[float]
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
