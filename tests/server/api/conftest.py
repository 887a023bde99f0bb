"""One cloud without hosts for each test of the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.api.api_harness import Api, Client


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


@pytest.fixture
def admin(api: Api) -> Client:
    return api.admin
