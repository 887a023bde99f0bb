"""Which instances to move so that hosts are balanced, or condensed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.placement.balancing import Hosts, Instances, Move, imbalance, plan, wants_moves

TOTAL = 100.0


def _plan(
    where: list[int],
    sizes: list[int],
    hosts: int,
    algorithm: Literal["balanced", "condensed"],
    *,
    threshold: float = 1.0,
    most: int = 100,
    forbidden: tuple[Move, ...] = (),
) -> tuple[list[Move], np.ndarray, np.ndarray]:
    """The moves, and the hosts' use before and after."""
    use = np.zeros(hosts)
    for host, size in zip(where, sizes, strict=True):
        use[host] += size
    allowed = np.ones((len(where), hosts), np.bool_)
    for move in forbidden:
        allowed[move] = False
    size = np.array(sizes, float)
    total = np.full(hosts, TOTAL)
    moves = plan(
        Hosts(use, total, use, total),
        Instances(np.array(where), size, size, allowed),
        algorithm=algorithm,
        metric="memory",
        threshold=threshold,
        most=most,
    )
    after, now = use.copy(), list(where)
    for move in moves:
        after[now[move.instance]] -= sizes[move.instance]
        after[move.host] += sizes[move.instance]
        now[move.instance] = move.host
    return moves, use, after


def test_the_imbalance_of_two_hosts_reckoned_by_hand() -> None:
    assert imbalance(np.array([0.5, 0.5])) == 0.0
    assert imbalance(np.array([1.0, 0.0])) == 1.0  # deviation 0.5 over mean 0.5
    assert imbalance(np.array([0.0, 0.0])) == 0.0


def test_balanced_moves_one_of_two_instances_to_the_empty_host() -> None:
    moves, _, after = _plan([0, 0], [40, 40], 2, "balanced")
    assert len(moves) == 1 and list(after) == [40, 40]


def test_condensed_empties_a_host() -> None:
    moves, _, after = _plan([0, 1], [40, 40], 2, "condensed")
    assert len(moves) == 1 and sorted(after) == [0, 80]


def test_what_does_not_fit_or_is_not_allowed_stays() -> None:
    assert _plan([0, 1], [60, 60], 2, "condensed")[0] == []
    assert _plan([0, 1], [40, 40], 2, "condensed", forbidden=(Move(0, 1), Move(1, 0)))[0] == []


def test_within_the_threshold_nothing_moves() -> None:
    assert wants_moves("balanced", 0.4, 0.61) and not wants_moves("balanced", 0.4, 0.59)
    assert wants_moves("condensed", 0.4, 0.39) and not wants_moves("condensed", 0.4, 0.41)
    assert _plan([0, 0, 1], [30, 30, 30], 2, "balanced", threshold=0.4)[0] == []  # 0.33 is allowed up to 0.6


@given(
    placed=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 30)), max_size=14),
    algorithm=st.sampled_from(["balanced", "condensed"]),
    most=st.integers(1, 6),
)
def test_every_move_fits_and_betters_the_cluster(
    placed: list[tuple[int, int]], algorithm: Literal["balanced", "condensed"], most: int
) -> None:
    room = [100] * 5
    kept = []
    for host, size in placed:
        if size <= room[host]:
            room[host] -= size
            kept.append((host, size))
    where, sizes = [h for h, _ in kept], [s for _, s in kept]
    moves, before, after = _plan(where, sizes, 5, algorithm, most=most)
    assert len(moves) <= most and len({move.instance for move in moves}) == len(moves)
    assert (after <= TOTAL).all() and after.sum() == before.sum()
    if moves:
        better = imbalance(after / TOTAL) - imbalance(before / TOTAL)
        assert better < 0 if algorithm == "balanced" else better > 0
