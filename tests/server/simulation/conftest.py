"""A served simulation that the tests share, and an admin who calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.serving import ONE_RACK, Connection, ServerProcess


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("simulation")
    (folder / "rack.yaml").write_text(ONE_RACK)
    with ServerProcess(folder / "data", "--pace", "max", "--datacenter", str(folder / "rack.yaml")) as server:
        yield server


@pytest.fixture
def call(served: ServerProcess) -> Iterator[Connection]:
    connection = served.connect()
    yield connection
    connection("updateSimulation", pace="max")
    connection.close()
