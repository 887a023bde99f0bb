"""Two racks of simulated hosts for each test of instances."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()
