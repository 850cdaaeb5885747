"""A column for the setting that hides percentages from a person."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column. Until now, everyone has seen percentages."""
    op.add_column("people", sa.Column("shows_percentages", sa.Boolean, nullable=False, server_default=sa.true()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("people", "shows_percentages")
