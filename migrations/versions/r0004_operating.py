"""Tables for webhook secrets, blocked people and reported problems, and a column for the update behind a reply."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables, and add the column, which is NULL in existing replies."""
    op.create_table(
        "bots",
        sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("webhook_secret", sa.LargeBinary, nullable=False),
        _moment("created_at"),
    )
    op.create_table(
        "blocked_people",
        sa.Column("person_hash", sa.LargeBinary(32), primary_key=True),
        _moment("blocked_at"),
    )
    op.create_table(
        "reported_troubles",
        sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), primary_key=True),
        _moment("reported_at"),
    )
    op.add_column("replies", sa.Column("update_id", sa.BigInteger))


def downgrade() -> None:
    """Drop the column and the tables."""
    op.drop_column("replies", "update_id")
    for table in ("reported_troubles", "blocked_people", "bots"):
        op.drop_table(table)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)
