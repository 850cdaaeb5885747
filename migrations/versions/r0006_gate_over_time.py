"""Tables for trials and for looks at the votes, and columns for the phase of a training run."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and add the columns, which are NULL or 0 in existing runs."""
    op.create_table(
        "trials",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("run_id", _ROW_ID, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("champion", sa.String, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_by", sa.BigInteger),
        _moment("started_at", nullable=False),
        sa.Column("ended_by", sa.BigInteger),
        _moment("ended_at"),
        sa.Column("why", sa.String),
        sa.Column("evidence", sa.JSON),
        _key("trials", "run_id", "training_runs.id", ondelete="CASCADE"),
        _key("trials", "version", "model_versions.version"),
        _key("trials", "champion", "model_versions.version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trials_run_id", "trials", ["run_id"])
    running = sa.text("state = 'running'")
    op.create_index(
        "uq_trials_running", "trials", ["state"], unique=True, sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "trial_texts",
        sa.Column("trial_id", _ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("text_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("message_id", _ROW_ID, nullable=False),
        sa.Column("champion_label", sa.String(16), nullable=False),
        _key("trial_texts", "trial_id", "trials.id", ondelete="CASCADE"),
        _key("trial_texts", "message_id", "messages.id", ondelete="CASCADE"),
    )
    op.create_index("ix_trial_texts_message_id", "trial_texts", ["message_id"])
    op.create_table(
        "gate_looks",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("run_id", _ROW_ID),
        sa.Column("trial_id", _ROW_ID),
        sa.Column("champion", sa.String, nullable=False),
        sa.Column("texts", sa.BigInteger, nullable=False),
        sa.Column("alpha", sa.Double, nullable=False),
        _moment("created_at", nullable=False),
        _key("gate_looks", "run_id", "training_runs.id", ondelete="CASCADE"),
        _key("gate_looks", "trial_id", "trials.id", ondelete="CASCADE"),
        _key("gate_looks", "champion", "model_versions.version"),
        sa.UniqueConstraint("run_id", name="uq_gate_looks_run_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_gate_looks_trial_id", "gate_looks", ["trial_id"])
    op.add_column("training_runs", sa.Column("phase", sa.String(16)))
    op.add_column("training_runs", sa.Column("phase_done", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("training_runs", sa.Column("phase_total", sa.BigInteger))
    op.add_column("training_runs", _moment("phase_since"))


def downgrade() -> None:
    """Drop the columns and the tables."""
    for name in ("phase_since", "phase_total", "phase_done", "phase"):
        op.drop_column("training_runs", name)
    for table in ("gate_looks", "trial_texts", "trials"):
        op.drop_table(table)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _key(table: str, column: str, referred: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{referred.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [referred], name=name, ondelete=ondelete)
