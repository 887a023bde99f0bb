"""A simulated cloud for each test of a management service that wants one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloudsim.management.cloud_harness import Cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    made = Cloud()
    yield made
    made.close()
