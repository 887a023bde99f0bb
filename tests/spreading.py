"""How the suite is spread over workers: a module stays together, and what takes long is begun first.

Modules of tests on real hosts wait more than they compute, so two of them run beside the others; three of them would
fight for the machine's cores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling

TESTS = Path(__file__).parent
LABS_AT_ONCE = 2
LONG = (
    "lab",
    "backends/images",
    "backends/libvirt",
    "browser",
    "dst",
    "selfservice",
    "backends/systemvm",
    "benchmarks",
)
"""Folders whose modules take long: these come first, in this order."""


class ByModule(LoadGroupScheduling):  # type: ignore[misc]
    """The tests of a module are one unit of work. A unit of the group `lab` waits while two workers have such."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0]

    def _reschedule(self, node: Any) -> None:
        if self.workqueue and not node.shutting_down:
            if self._pending_of(self.assigned_work[node]) <= 2:
                self._assign_work_unit(node)
            return
        super()._reschedule(node)

    def _assign_work_unit(self, node: Any) -> None:
        unit = next((unit for unit in self.workqueue if self._may_begin(unit, node)), None)
        if unit is not None:
            self.workqueue.move_to_end(unit, last=False)
            super()._assign_work_unit(node)

    def _may_begin(self, unit: str, node: Any) -> bool:
        if not _on_real_hosts(self.workqueue[unit]):
            return True
        others = (units for other, units in self.assigned_work.items() if other is not node)
        return sum(any(_on_real_hosts(each) for each in units.values()) for units in others) < LABS_AT_ONCE


def _on_real_hosts(unit: dict[str, bool]) -> bool:
    """Whether there is a test on real hosts among those that have not ended."""
    return any(nodeid.endswith("@lab") for nodeid, ended in unit.items() if not ended)


def turn(item: pytest.Item) -> int:
    """The place of the test's folder in LONG."""
    folder = item.path.parent.relative_to(TESTS).as_posix() + "/"
    return next((number for number, long in enumerate(LONG) if folder.startswith(f"{long}/")), len(LONG))
