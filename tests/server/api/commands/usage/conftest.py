"""One simulated cloud with public addresses behind its API, whose usage is counted from the beginning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.api.commands.usage.usage_api import UsageApi


@pytest.fixture
def api() -> Iterator[UsageApi]:
    made = UsageApi()
    yield made
    made.cloud.close()
