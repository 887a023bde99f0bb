"""Tests on real hosts run one after the other, beside all others: two of them would fight for the machine's cores."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("lab") is not None:
        item.add_marker(pytest.mark.xdist_group("lab"))


def pytest_collection_finish(session: pytest.Session) -> None:
    # pytest-xdist tells its groups by the ends of node ids; where pytest lets it not change those, it says nothing
    if session.config.getoption("loadgroup", default=False):
        for item in session.items:
            if item.get_closest_marker("lab") is not None and not item.nodeid.endswith("@lab"):
                raise pytest.UsageError(f"{item.nodeid} would not be kept on one worker: see pytest in pyproject.toml")
