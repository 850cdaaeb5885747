"""A table of running workers, and a table of daily counts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables, which start empty."""
    op.create_table(
        "workers",
        sa.Column("process", sa.String(128), primary_key=True),
        sa.Column("queues", sa.String, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "daily_counts",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("daily_counts")
    op.drop_table("workers")
