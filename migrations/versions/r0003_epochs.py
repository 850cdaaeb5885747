"""How many epochs a training run has, so that its message can say which one it is in."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; runs that ended before have no number in it."""
    op.add_column("training_runs", sa.Column("epochs", sa.BigInteger))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("training_runs", "epochs")
