"""An index from which the messages and people of a day are counted without reading the messages."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Replace the index on the time by one on the time and the person."""
    op.drop_index("ix_messages_created_at", "messages")
    op.create_index("ix_messages_created_at_person_id", "messages", ["created_at", "person_id"])


def downgrade() -> None:
    """Bring back the index on the time."""
    op.drop_index("ix_messages_created_at_person_id", "messages")
    op.create_index("ix_messages_created_at", "messages", ["created_at"])
