"""The rules that a router gets and the oracle say the same: rules are loaded in a namespace, and packets sent through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cloudsim.protocol.router import RouterConfiguration
from tests.backends.systemvm.rendering.networks import (
    MAY_BE_THERE,
    WIRES,
    configurations,
    configure,
    disagreements,
    expectations,
    probes,
)
from tests.backends.systemvm.rendering.probing import Crossing, what_is_missing


@pytest.fixture(scope="module")
def crossing() -> Iterator[Crossing]:
    missing = what_is_missing()
    if missing:
        pytest.skip(missing)
    made = Crossing(WIRES, MAY_BE_THERE)
    yield made
    made.close()


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes; what disagrees is told in words
    report_multiple_bugs=False,
)
@given(configuration=configurations(), seed=st.integers(0, 2**32))
def test_the_kernel_does_what_the_oracle_says(
    crossing: Crossing, configuration: RouterConfiguration, seed: int
) -> None:
    configure(crossing, configuration)
    asked = probes(configuration, seed, 150)
    assert disagreements(crossing, asked, expectations(configuration, asked)) == []
