"""Alembic: run the migrations on the connection that `bence.registry.database.make` opened."""

from alembic import context

from bence.registry.models import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
