"""A column marking predictions that weren't shown because the text did not read like a review."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column, which is NULL in existing predictions, because all of them were shown."""
    op.add_column("predictions", sa.Column("abstention", sa.String(16)))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("predictions", "abstention")
