"""The schema's history, for Alembic: `versions/` has one file for each change of it."""
