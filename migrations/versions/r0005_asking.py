"""Columns for the reasons for votes, the selection of offers, corrected verdicts, and the chance of a question."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns. Existing predictions are recorded as answered by the model, and the other columns are NULL."""
    op.add_column("judgements", sa.Column("reason", sa.String(16)))
    op.add_column("label_offers", sa.Column("selection", sa.String(16)))
    op.add_column("predictions", sa.Column("corrected", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("predictions", sa.Column("question_chance", sa.Double))


def downgrade() -> None:
    """Drop the columns."""
    for table, column in (
        ("judgements", "reason"),
        ("label_offers", "selection"),
        ("predictions", "corrected"),
        ("predictions", "question_chance"),
    ):
        op.drop_column(table, column)
