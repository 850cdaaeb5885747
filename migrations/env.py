"""The environment that Alembic loads before it runs migrations on the connection that ``runner`` opened."""

from alembic import context

from storage.db.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
