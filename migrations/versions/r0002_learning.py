"""Tables for training runs, snapshots, label offers, and bot instances with the models that they serve."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Indexes for finding the next text to label quickly.
_LABELLING = (("messages", "text_hash"), ("judgements", "text_hash"), ("predictions", "confidence"))


def upgrade() -> None:
    """Create the tables, and add a column to the registry for the run that produced a version."""
    _runs()
    with op.batch_alter_table("model_versions") as registry:
        registry.add_column(sa.Column("run_id", _ROW_ID))
        registry.add_column(sa.Column("removed_at", sa.DateTime(timezone=True)))
        registry.create_foreign_key("fk_model_versions_run_id_training_runs", "training_runs", ["run_id"], ["id"])
    _models()
    _snapshots()
    _offers()
    for table, column in _LABELLING:
        op.create_index(None, table, [column])


def downgrade() -> None:
    """Drop the tables, and the registry's reference to runs."""
    for table, column in _LABELLING:
        op.drop_index(f"ix_{table}_{column}", table)
    for table in ("label_offers", "snapshot_rows", "run_followers", "serving", "model_changes"):
        op.drop_table(table)
    with op.batch_alter_table("model_versions") as registry:
        registry.drop_constraint("fk_model_versions_run_id_training_runs", type_="foreignkey")
        registry.drop_column("run_id")
        registry.drop_column("removed_at")
    op.drop_table("training_runs")


def _runs() -> None:
    op.create_table(
        "training_runs",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.BigInteger),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.Column("lease_owner", sa.String(128)),
        sa.Column("lease_token", sa.BigInteger, nullable=False),
        _moment("lease_until", nullable=True),
        _moment("snapshot_at", nullable=True),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("steps", sa.BigInteger),
        sa.Column("samples_per_second", sa.Double),
        sa.Column("champion", sa.String),
        sa.Column("candidate", sa.String),
        sa.Column("decision", sa.JSON),
        sa.Column("card", sa.LargeBinary),
        sa.Column("error", sa.String),
        _moment("noticed_at", nullable=True),
        _moment("created_at"),
        _moment("started_at", nullable=True),
        _moment("finished_at", nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "training_runs", ["state"])
    is_open = sa.text("open")
    op.create_index(
        "uq_training_runs_open", "training_runs", ["open"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_table(
        "run_followers",
        _belongs_to("training_runs", "run_id", nullable=False),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("reply_id", sa.BigInteger, nullable=False),
        sa.Column("language", sa.String),
        sa.Column("shown", sa.String),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "bot_id", "chat_id"),
    )


def _models() -> None:
    op.create_table(
        "model_changes",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("who", sa.BigInteger),
        _version("from_version", nullable=True),
        _version("to_version"),
        sa.Column("why", sa.String, nullable=False),
        _moment("created_at"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "serving",
        sa.Column("process", sa.String(64), primary_key=True),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        _version("version"),
        _moment("since"),
        _moment("seen_at"),
        sa.Column("refused_version", sa.String),
        sa.Column("refusal", sa.String),
    )


def _snapshots() -> None:
    op.create_table(
        "snapshot_rows",
        sa.Column("id", _ROW_ID, primary_key=True),
        _belongs_to("training_runs", "run_id", nullable=False),
        sa.Column("message_id", _ROW_ID, sa.ForeignKey("messages.id", ondelete="SET NULL")),
        sa.Column("author_id", _ROW_ID, sa.ForeignKey("people.id", ondelete="SET NULL")),
        sa.Column("text_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.UniqueConstraint("run_id", "text_hash"),
        sqlite_autoincrement=True,
    )
    for column in ("message_id", "author_id", "text_hash"):
        op.create_index(None, "snapshot_rows", [column])


def _offers() -> None:
    op.create_table(
        "label_offers",
        sa.Column("id", _ROW_ID, primary_key=True),
        _belongs_to("people", "person_id", nullable=False),
        sa.Column("text_hash", sa.LargeBinary(32), nullable=False),
        _belongs_to("predictions", "prediction_id"),
        sa.Column("gold_label", sa.String(16)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("answer", sa.String(16)),
        _moment("created_at"),
        sa.UniqueConstraint("person_id", "text_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "label_offers", ["prediction_id"])


def _moment(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _version(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String, sa.ForeignKey("model_versions.version"), nullable=nullable)


def _belongs_to(table: str, name: str, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, _ROW_ID, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=nullable)
