"""Where the Store's rows survive: SQLite by default, PostgreSQL by URL.

    engine = open_database("cloud.db")
    journal = DatabaseJournal(engine, on_failure=stop_server)
    store = Store(ROW_TYPES, journal)
    store.load(load_rows(engine))
    ...
    journal.close()
    engine.dispose()
"""

from server.database.journal import DatabaseJournal, JournalBroken
from server.database.load import load_rows
from server.database.migrating import DatabaseUnusable
from server.database.opening import DatabaseInUse, open_database

__all__ = [
    "DatabaseInUse",
    "DatabaseJournal",
    "DatabaseUnusable",
    "JournalBroken",
    "load_rows",
    "open_database",
]
