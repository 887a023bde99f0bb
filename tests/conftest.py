"""Tests on real hosts are a group that is spread with care, see `spreading.py`, and have a second try, see `second_try.py`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from server.garbage import look_seldom, spare_what_is_there
from tests.second_try import may_have_one, tell

LAB_TIMEOUT = 1200
"""Seconds that a test on real hosts may take at least, its fixtures included: their guests are emulated, and share the
machine with the rest of the suite."""

look_seldom()
settings.register_profile("no deadline", deadline=None)  # an example takes as long as the machine's other work lets it
settings.load_profile("no deadline")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--second-try",
        action="store_true",
        help="run what failed on real hosts or in a browser once more, and tell of it",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("lab") is not None:
        item.add_marker(pytest.mark.xdist_group("lab"))
        least = item.get_closest_marker("timeout")
        if least is None or least.args[0] < LAB_TIMEOUT:
            item.add_marker(pytest.mark.timeout(LAB_TIMEOUT), append=False)
    if item.config.getoption("second_try") and may_have_one(item):
        item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    tell(terminalreporter)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Any:
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.spreading import ByModule

    config.option.loadscopereorder = False  # not by the number of tests, but as they are collected
    return ByModule(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("loadgroup", default=False):
        from tests.spreading import turn

        items.sort(key=turn)


def pytest_collection_finish(session: pytest.Session) -> None:
    spare_what_is_there()  # all modules and 8,000 tests, which every look at garbage would go through
    # pytest-xdist tells its groups by the ends of node ids; where pytest lets it not change those, it says nothing
    if session.config.getoption("loadgroup", default=False):
        for item in session.items:
            if item.get_closest_marker("lab") is not None and not item.nodeid.endswith("@lab"):
                raise pytest.UsageError(
                    f"{item.nodeid} would not be kept on one worker: see pytest in pyproject.toml"
                )
