"""A database is migrated once and copied for each test or example, which is much quicker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from server.database import open_database

NewDatabase = Callable[[], AbstractContextManager[Path]]


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """`with new_database() as path:` gives the path of an empty database, deleted at the end."""
    template = tmp_path_factory.mktemp("template") / "cloud.db"
    open_database(template).dispose()

    @contextmanager
    def new() -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=template.parent) as folder:
            yield Path(shutil.copy(template, folder))

    return new
