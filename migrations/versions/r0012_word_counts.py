"""Columns for a text's numbers of words, which show how people's texts differ from the training data."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns. Earlier predictions have no counts."""
    for name in ("words", "unknown_words"):
        op.add_column("predictions", sa.Column(name, sa.BigInteger, nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    for name in ("words", "unknown_words"):
        op.drop_column("predictions", name)
