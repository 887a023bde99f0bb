"""One simulated cloud with public addresses behind its API for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.api.commands.vpc.vpc_api import VpcApi


@pytest.fixture
def api() -> Iterator[VpcApi]:
    made = VpcApi()
    yield made
    made.cloud.close()
