"""A table of paused labellers, and a column for the time when an offer was closed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table, which starts empty, and add the column, which is NULL in existing offers."""
    op.create_table(
        "paused_labellers",
        sa.Column("person_id", _ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_paused_labellers_person_id_people", ondelete="CASCADE"
        ),
    )
    op.add_column("label_offers", sa.Column("closed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Drop the column and the table."""
    op.drop_column("label_offers", "closed_at")
    op.drop_table("paused_labellers")
