"""Every answer of every server in the tests' process is compared with CloudStack's facts, see `api/recording.py`.

    CLOUDSIM_ANSWERS=FOLDER python -m pytest ...

also leaves in that folder which fields were filled, for `tests.server.api.coverage`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.api.recording import Recorder, recording, remember
from tests.server.database.postgresql_server import PostgresqlServer, missing, postgresql_server


@pytest.fixture(scope="session", autouse=True)
def recorder() -> Iterator[Recorder]:
    with recording() as made:
        yield made
    folder = os.environ.get("CLOUDSIM_ANSWERS")
    if folder:
        remember(made.filled, Path(folder), os.environ.get("PYTEST_XDIST_WORKER", "alone"))


@pytest.fixture(autouse=True)
def answers_have_cloudstacks_types(recorder: Recorder) -> Iterator[None]:
    yield
    wrong, recorder.wrong = recorder.wrong, []
    assert not wrong, f"{len(wrong)} fields of answers have a wrong type: " + "; ".join(sorted(set(wrong))[:20])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with postgresql_server() as server:
        yield server
