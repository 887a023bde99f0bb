"""What Alembic runs for every command; the connection comes from `server.database.migrating`."""

from alembic import context

from server.database.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,  # both databases can; SQLite's driver is told to in `server.database.opening`
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
