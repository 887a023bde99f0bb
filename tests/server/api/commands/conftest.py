"""One simulated cloud behind its API for each test of commands that need hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.api.commands.cloud_api import CloudApi


@pytest.fixture
def cloud_api() -> Iterator[CloudApi]:
    made = CloudApi()
    yield made
    made.cloud.close()
