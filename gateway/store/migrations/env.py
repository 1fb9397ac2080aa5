"""Run by Alembic: migrates over the connection, and in the transaction, that migrate.py opened."""

from alembic import context

from gateway.store.migrations.options import OPTIONS

context.configure(connection=context.config.attributes["connection"], **OPTIONS)
with context.begin_transaction():
    context.run_migrations()
