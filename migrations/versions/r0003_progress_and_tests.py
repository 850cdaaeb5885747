"""Columns for a training run's epochs, and for a published model's score on the test reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEST = ("tested", "tested_right")


def upgrade() -> None:
    """Add the columns, which are NULL in existing rows."""
    op.add_column("training_runs", sa.Column("epochs", sa.BigInteger))
    for name in _TEST:
        op.add_column("model_versions", sa.Column(name, sa.BigInteger))


def downgrade() -> None:
    """Drop the columns."""
    for name in _TEST:
        op.drop_column("model_versions", name)
    op.drop_column("training_runs", "epochs")
