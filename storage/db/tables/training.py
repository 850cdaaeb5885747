"""Training runs, their snapshots, the chats that follow the runs, and pauses during which no run may start."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.db.column_types import RowId, enum_column, utc_now
from storage.db.states import (
    RunKind,
    RunPhase,
    RunState,
    SnapshotPart,
    Trigger,
)
from storage.db.tables.base import Base, cascade


class RunRow(Base):
    """A training run. At most one run is open, that is, queued, running or evaluating.

    ``lease_token`` increases with every claim and fences off earlier lease holders. ``decision`` is the gate's record
    of its decision, and ``card`` is the chart of the decision as a PNG. Neither of the two contains any user's text.
    ``over_quota`` is the number of usable texts that were used only for measuring, because training on them would
    exceed a person's share. ``retrain_at`` is the number of usable texts at which an admin wants the next round to
    start.
    """

    __tablename__ = "training_runs"
    __table_args__ = (
        Index("uq_training_runs_open", "open", unique=True, sqlite_where=text("open"), postgresql_where=text("open")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[RunKind] = mapped_column(enum_column(RunKind))
    trigger: Mapped[Trigger] = mapped_column(enum_column(Trigger))
    requested_by: Mapped[int | None]
    state: Mapped[RunState] = mapped_column(enum_column(RunState), default=RunState.QUEUED, index=True)
    open: Mapped[bool] = mapped_column(default=True)
    attempts: Mapped[int] = mapped_column(default=0)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    lease_owner: Mapped[str | None] = mapped_column(String(128))
    lease_token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    snapshot_at: Mapped[datetime | None]
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int | None]
    epochs: Mapped[int | None]
    samples_per_second: Mapped[float | None]
    phase: Mapped[RunPhase | None] = mapped_column(enum_column(RunPhase))
    phase_done: Mapped[int] = mapped_column(default=0)
    phase_total: Mapped[int | None]
    phase_since: Mapped[datetime | None]
    over_quota: Mapped[int | None]
    retrain_at: Mapped[int | None]
    champion: Mapped[str | None]
    candidate: Mapped[str | None]
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    card: Mapped[bytes | None] = mapped_column(LargeBinary)
    error: Mapped[str | None]
    noticed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class LearningPauseRow(Base):
    """A record that an admin paused or resumed learning. Rows are only added, and the newest one counts."""

    __tablename__ = "learning_pauses"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    paused: Mapped[bool]
    who: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class FollowerRow(Base):
    """A chat that follows a training run in one message.

    ``reply_id`` is the newest reply that sends or edits the message, and ``shown`` is its content.
    """

    __tablename__ = "run_followers"
    __table_args__ = ()

    run_id: Mapped[int] = mapped_column(cascade("training_runs.id"), primary_key=True, autoincrement=False)
    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reply_id: Mapped[int]
    language: Mapped[str | None]
    shown: Mapped[str | None]
    done: Mapped[bool] = mapped_column(default=False)


class SnapshotRow(Base):
    """A text in a training run's snapshot, with its label and its part. The text itself is stored in ``messages``.

    ``text_hash`` is kept after the text is deleted, so that later runs can tell whether an earlier run trained on the
    text. The author's id is cleared when the author is deleted.
    """

    __tablename__ = "snapshot_rows"
    __table_args__ = (UniqueConstraint("run_id", "text_hash"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[int] = mapped_column(cascade("training_runs.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    label: Mapped[str] = mapped_column(String(16))
    part: Mapped[SnapshotPart] = mapped_column(enum_column(SnapshotPart))
