"""The matrix of network services on simulated hosts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.lab.networks import matrix
from tests.lab.networks.simulated import SimulatedWorld


@pytest.fixture
def world() -> Iterator[SimulatedWorld]:
    made = SimulatedWorld()
    yield made
    made.close()


@pytest.mark.parametrize("part", [matrix.isolated, matrix.tiers, matrix.groups, matrix.dual_stack])
def test_every_row_is_right(
    world: SimulatedWorld, part: Callable[[matrix.World], Iterator[matrix.Row]]
) -> None:
    rows = list(part(world))
    assert [row for row in rows if row.answer != row.right] == []
    assert len(rows) >= 4
