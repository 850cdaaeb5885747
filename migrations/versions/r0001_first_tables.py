"""The first tables: people, inbox, messages, models, predictions, replies and votes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables. The naming convention determines the constraints' names."""
    _people()
    _inbox()
    _messages()
    _predictions()
    _replies()
    _judgements()


def downgrade() -> None:
    """Drop the tables, starting with those that refer to others."""
    for table in (
        "judgements",
        "replies",
        "predictions",
        "model_versions",
        "message_addresses",
        "message_parts",
        "messages",
        "updates",
        "consents",
        "people",
        "secrets",
    ):
        op.drop_table(table)


def _people() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        _moment("created_at"),
    )
    op.create_table(
        "people",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("telegram_id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("language", sa.String),
        _moment("created_at"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "consents",
        sa.Column("id", _ROW_ID, primary_key=True),
        _belongs_to("people", "person_id"),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("consent", sa.String(16), nullable=False),
        sa.Column("wording", sa.String, nullable=False),
        _moment("created_at"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "consents", ["person_id"])


def _inbox() -> None:
    op.create_table(
        "updates",
        sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("update_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("telegram_id", sa.BigInteger),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.LargeBinary),
        _moment("received_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
    )
    op.create_index(None, "updates", ["telegram_id"])
    op.create_index(None, "updates", ["bot_id", "state", "update_id"])
    op.create_index(None, "updates", ["state", "finished_at"])


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", _ROW_ID, primary_key=True),
        _belongs_to("people", "person_id"),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        _follows("messages", "revises"),
        sa.Column("text_hash", sa.LargeBinary(32), nullable=False),
        _moment("created_at"),
        sqlite_autoincrement=True,
    )
    for column in ("person_id", "revises", "created_at"):
        op.create_index(None, "messages", [column])
    op.create_table(
        "message_parts",
        _belongs_to("messages", "message_id"),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("telegram_message_id", sa.BigInteger, nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("message_id", "position"),
    )
    op.create_table(
        "message_addresses",
        sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("telegram_message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        _belongs_to("messages", "message_id"),
    )
    op.create_index(None, "message_addresses", ["message_id"])


def _predictions() -> None:
    op.create_table(
        "model_versions",
        sa.Column("version", sa.String, primary_key=True),
        sa.Column("manifest_sha256", sa.String(64), nullable=False),
        sa.Column("location", sa.String, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        _moment("created_at"),
    )
    live = sa.text("live")
    op.create_index(
        "uq_model_versions_live", "model_versions", ["live"], unique=True, sqlite_where=live, postgresql_where=live
    )
    op.create_table(
        "predictions",
        sa.Column("id", _ROW_ID, primary_key=True),
        _belongs_to("messages", "message_id"),
        sa.Column("version", sa.String, sa.ForeignKey("model_versions.version"), nullable=False),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("sure", sa.Boolean, nullable=False),
        sa.Column("windows", sa.BigInteger, nullable=False),
        sa.Column("logit_0", sa.Double, nullable=False),
        sa.Column("logit_1", sa.Double, nullable=False),
        _follows("predictions", "replaces"),
        _moment("created_at"),
        sqlite_autoincrement=True,
    )
    for column in ("message_id", "replaces"):
        op.create_index(None, "predictions", [column])


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        _belongs_to("people", "person_id", nullable=True),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        _belongs_to("predictions", "prediction_id", nullable=True),
        sa.Column("answers", sa.BigInteger),
        sa.Column("revises", sa.BigInteger),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("telegram_message_id", sa.BigInteger),
        sa.Column("reason", sa.LargeBinary),
        _moment("created_at"),
        _moment("changed_at"),
        sqlite_autoincrement=True,
    )
    for columns in (
        ["person_id"],
        ["chat_id"],
        ["prediction_id"],
        ["bot_id", "state", "id"],
        ["bot_id", "chat_id", "answers"],
        ["state", "changed_at"],
    ):
        op.create_index(None, "replies", columns)


def _judgements() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", _ROW_ID, primary_key=True),
        _belongs_to("people", "person_id"),
        sa.Column("text_hash", sa.LargeBinary(32), nullable=False),
        _belongs_to("predictions", "prediction_id"),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("label", sa.String(16)),
        _moment("created_at"),
        sa.UniqueConstraint("person_id", "text_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "judgements", ["prediction_id"])


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _belongs_to(table: str, name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, _ROW_ID, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=nullable)


def _follows(table: str, name: str) -> sa.Column[object]:
    return sa.Column(name, _ROW_ID, sa.ForeignKey(f"{table}.id", ondelete="SET NULL"))
