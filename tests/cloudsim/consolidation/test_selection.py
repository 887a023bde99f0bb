"""Which instance leaves an overloaded host."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.consolidation.selection import (
    SELECTIONS,
    AnyInstance,
    MaximumCorrelation,
    MinimumMigrationTime,
    MinimumUtilisation,
)


def test_minimum_migration_time_takes_the_first_with_the_least_memory() -> None:
    assert MinimumMigrationTime().choose([900, 10, 500], [1000] * 3, [1740, 613, 613]) == 1


def test_minimum_utilisation_counts_by_the_size_of_each() -> None:
    assert MinimumUtilisation().choose([500, 400, 450], [1000, 500, 2500], [1, 1, 1]) == 2


def test_random_selection_gives_every_instance_the_same_share_of_draws() -> None:
    chosen = [AnyInstance().choose([1] * 4, [1] * 4, [1] * 4, draw=(k + 0.5) / 40) for k in range(40)]
    assert [chosen.count(i) for i in range(4)] == [10] * 4


def test_maximum_correlation_takes_one_that_the_others_explain() -> None:
    beat = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7]
    alone = [0.5, 0.5, 0.6, 0.4, 0.4, 0.6]
    noisy = [2 * value + error for value, error in zip(beat, (0.01, -0.02, 0, 0.02, 0, -0.01), strict=True)]
    history = [alone, beat, noisy]
    assert MaximumCorrelation().choose([1] * 3, [1] * 3, [1, 2, 3], history) in (1, 2)


def test_maximum_correlation_without_enough_past_is_minimum_migration_time() -> None:
    assert MaximumCorrelation().choose([1] * 3, [1] * 3, [3, 2, 1], [[0.1, 0.2, 0.3]] * 3) == 2


def test_constant_loads_are_correlated_with_nothing() -> None:
    history = [[0.5] * 6, [0.1, 0.4, 0.2, 0.5, 0.3, 0.6], [0.2, 0.8, 0.4, 1.0, 0.6, 1.2]]
    assert MaximumCorrelation().choose([1] * 3, [1] * 3, [1, 2, 3], history) == 1


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 8), st.integers(0, 2**32 - 1), st.booleans())
def test_maximum_correlation_has_the_largest_coefficient_of_determination(
    instances: int, seed: int, dependent: bool
) -> None:
    history = np.random.default_rng(seed).random((instances, 20))
    if dependent:
        history[-1] = 0.2  # a constant, so that covariances cannot be inverted
    explained = []
    for i in range(instances - dependent):
        others = np.column_stack([np.ones(20), np.delete(history, i, axis=0).T])
        residual = history[i] - others @ np.linalg.lstsq(others, history[i], rcond=None)[0]
        explained.append(1 - residual.var() / history[i].var())
    chosen = MaximumCorrelation().choose([1] * instances, [1] * instances, [1] * instances, history.tolist())
    assert explained[chosen] >= max(explained) - 1e-9


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(SELECTIONS)),
    st.integers(1, 8),
    st.integers(0, 30),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 2**32 - 1),
)
def test_there_is_always_one_to_leave(name: str, instances: int, known: int, draw: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    demand, size, memory = chance.random(instances), chance.random(instances) + 1, chance.integers(1, 9, instances)
    history = chance.integers(0, 2, (instances, known)).astype(float)
    chosen = SELECTIONS[name]().choose(demand.tolist(), size.tolist(), memory.tolist(), history.tolist(), draw)
    assert 0 <= chosen < instances
