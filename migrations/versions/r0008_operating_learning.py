"""A table of learning pauses, and columns for the number of texts over quota and for the next round."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table, which starts empty, and add the columns, which are NULL in existing runs."""
    op.create_table(
        "learning_pauses",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("who", sa.BigInteger),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.add_column("training_runs", sa.Column("over_quota", sa.BigInteger))
    op.add_column("training_runs", sa.Column("retrain_at", sa.BigInteger))


def downgrade() -> None:
    """Drop the columns and the table."""
    op.drop_column("training_runs", "retrain_at")
    op.drop_column("training_runs", "over_quota")
    op.drop_table("learning_pauses")
