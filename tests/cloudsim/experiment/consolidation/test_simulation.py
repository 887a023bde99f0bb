"""Simulations, against what is computed by hand or plainly, and what holds of all of them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.consolidation import Consolidation, policy
from cloudsim.experiment.consolidation.conventions import CLOUDSIM, OURS, Conventions
from cloudsim.experiment.consolidation.fleet import STUDY_HOSTS
from cloudsim.experiment.consolidation.load import Load
from cloudsim.experiment.consolidation.outcome import Outcome
from cloudsim.experiment.consolidation.simulation import simulate
from cloudsim.experiment.consolidation.state import hosts_of
from cloudsim.experiment.errors import ExperimentError
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.consolidation.books import Books, assert_same, figures
from tests.cloudsim.experiment.consolidation.loads import HOST, load_of, random_load

HALF = load_of([[0.5] * 3, [0.5] * 3], [500, 500], [500, 500])
"""Two instances that ask for 250 MHz each, for 900 s."""

seeds = st.integers(0, 2**32 - 1)
names = st.sampled_from(
    ["thr-mmt", "mad-mmt", "iqr-mmt", "lr-mmt", "lrr-mmt", "thr-rs", "thr-mu", "mad-mc", "thr-mmt,placement=bfd"]
)
every = st.builds(Conventions, **{name: st.booleans() for name in Conventions.__struct_fields__})


def _tiny(text: str, conventions: Conventions = OURS, load: Load = HALF, hosts: int = 2) -> Outcome:
    return simulate(load, hosts_of([HOST], hosts), policy(text), Randomness(1), conventions)


def _study(load: Load, text: str, conventions: Conventions = OURS, seed: int = 1) -> Outcome:
    return simulate(load, hosts_of(STUDY_HOSTS, 60), policy(text), Randomness(seed), conventions)


def test_a_host_at_half_load_draws_the_power_of_half_load() -> None:
    # Waking the second host would cost 150 W more, the same one 50 W: both instances go to one.
    found = _tiny("thr-mmt-0.8")
    assert found.energy == pytest.approx(150 * 900)
    assert (found.migrations, found.shutdowns, found.seconds, found.hosts_on_s) == (0, 0, 900, 900)
    assert found.assignment.tolist() == [0, 0]


def test_without_power_management_all_hosts_draw_their_peak() -> None:
    assert _tiny("npa").energy == 2 * 200 * 900


def test_with_dvfs_power_follows_load_and_empty_hosts_are_off() -> None:
    load = load_of([[0.0, 1.0, 1.0]], [1000], [500])
    # From 0 to all of it in the first interval: the mean of 100 and 200 W.
    assert _tiny("dvfs", load=load).energy == pytest.approx(150 * 300 + 200 * 600)


def test_an_overloaded_host_sends_an_instance_away() -> None:
    found = _tiny("thr-mmt-0.4")
    # 500 MiB at 62.5 MiB/s take 8 s, in which the instance has 225 of its 250 MHz and takes 25 MHz of its target.
    # Nothing can be emptied afterwards: both instances together would overload a host.
    energy = 150 * 300 + 150 * 8 + 102.5 * 8 + (125 + 125) * 592
    assert found.energy == pytest.approx(energy)
    assert found.migrations == 1
    assert sorted(found.assignment.tolist()) == [0, 1]
    assert found.lost.tolist() == [pytest.approx(25 * 8), 0]
    assert found.asked.tolist() == pytest.approx([250 * 900] * 2)
    got = found.figures()
    assert got["pdm"] == pytest.approx(200 / 450_000)
    assert got["sla_violation"] == pytest.approx(200 / 450_000)
    assert got["slatah"] == 0
    assert got["mean_hosts_on"] == pytest.approx((900 + 600) / 900)
    assert found.series.time.tolist() == [300, 600]
    assert found.series.migrations.tolist() == [1, 0]
    assert found.series.on.tolist() == [1, 2]
    assert found.series.watts.tolist() == pytest.approx([150, (1200 + 820 + 250 * 292) / 300])


def test_an_underloaded_host_is_emptied_and_switched_off() -> None:
    # 600 MHz each, so that two do not fit on one host by size; what they ask for does.
    load = load_of([[0.5, 0.5, 0.5], [0.25, 0.25, 0.25]], [600, 600], [400, 400])
    found = _tiny("thr-mmt-0.8", load=load)
    # At 300 s the second host, with 150 MHz, is emptied in 400 / 62.5 = 6.4 s; the first serves 15 MHz more meanwhile.
    energy = (130 + 115) * 300 + (131.5 + 115) * 6.4 + 145 * 593.6
    assert found.energy == pytest.approx(energy)
    assert (found.migrations, found.shutdowns) == (1, 1)
    assert found.assignment.tolist() == [0, 0]


def test_a_host_that_cannot_be_emptied_wholly_keeps_all_its_instances() -> None:
    # The second host's instances would have to go to the first one, which has memory for one of them.
    load = load_of([[0.5] * 3, [0.1] * 3, [0.1] * 3], [900, 500, 500], [400, 500, 500])
    found = _tiny("thr-mmt-0.8", load=load)
    assert found.migrations == 0
    assert found.assignment.tolist() == [0, 1, 1]
    assert _tiny("thr-mmt-0.8", msgspec.structs.replace(OURS, memory_free=True), load).assignment.tolist() == [0, 0, 0]


def test_an_overcommitted_host_shares_what_it_has() -> None:
    # Both ask for little at the decision, so that the second host is emptied; then for 1,200 MHz of 1,000.
    load = load_of([[0.1, 0.1, 1.0], [0.1, 0.1, 1.0]], [600, 600], [100, 100])
    found = _tiny("thr-mmt-1.0", load=load)
    assert found.migrations == 2  # and back, at 600 s
    # At 600 s one has to leave again, for 100 / 62.5 = 1.6 s: 200 MHz are missing, and a tenth of its 500 MHz. When it came, it
    # lost a tenth of 60 MHz as long.
    assert found.short_s.sum() == pytest.approx(1.6)
    assert found.given.sum() == pytest.approx(found.asked.sum() - 1.6 * (200 + 50 + 6))
    assert found.lost.sum() == pytest.approx(1.6 * (150 + 6))


def test_cloudsims_first_interval_is_free_and_the_last_is_left_out() -> None:
    # Placement spreads the two, since an idle host seems to cost the least; at 300.1 s one host is emptied in 8 s.
    found = _tiny("thr-mmt-0.8", CLOUDSIM)
    assert found.energy == pytest.approx((125 + 127.5) * 8 + 150 * 292)
    assert (found.migrations, found.shutdowns) == (1, 1)
    assert found.seconds == pytest.approx(300)
    assert found.figures()["pdm"] == pytest.approx(25 * 8 / (500 * 300))
    # While the instance arrives, its host gives 275 MHz, and all that is asked would be 500.
    assert found.figures()["slatah"] == pytest.approx(8 / 308)


def test_in_cloudsim_an_instance_that_asks_for_nothing_is_gone() -> None:
    load = load_of([[0.5] * 4, [0.5, 0.0, 0.0, 0.5]], [500, 500], [500, 500])
    assert _tiny("dvfs", CLOUDSIM, load).assignment.tolist() == [0, -1]
    assert _tiny("dvfs", OURS, load).assignment.tolist() == [0, 0]


def test_an_instance_that_fits_nowhere_is_an_error() -> None:
    load = load_of([[0.5]] * 3, [600] * 3, [100] * 3)
    with pytest.raises(ExperimentError, match="tiny: hosts: expected room for all instances: vm-2 is number 3 of 3"):
        _tiny("dvfs", load=load)


@settings(deadline=None, max_examples=25)
@given(seeds, st.sampled_from(["thr-mmt-0.8", "thr-mu-0.6", "mad-mmt-2.5", "iqr-mmt-1.5", "lr-mmt,weights=none", "lr-mmt"]))
def test_cloudsims_books_are_kept(seed: int, text: str) -> None:
    load = random_load(seed, instances=24, values=20)
    conventions = msgspec.structs.replace(CLOUDSIM, unweighted_regression=False)
    chosen = policy(text)
    assert isinstance(chosen, Consolidation)
    found = simulate(load, hosts_of(STUDY_HOSTS, 30), chosen, Randomness(1), conventions)
    assert_same(found.figures(), figures(Books(load, STUDY_HOSTS, 30, chosen).run()))


@settings(deadline=None, max_examples=25)
@given(seeds, names, every)
def test_no_instance_is_lost(seed: int, text: str, conventions: Conventions) -> None:
    load = random_load(seed, instances=40, values=16)
    found = _study(load, text, conventions)
    ended = load.share.min(axis=0) == 0
    lost = found.assignment < 0
    assert not lost.any() if not conventions.idle_instances_end else not lost[~ended].any()


@settings(deadline=None, max_examples=25)
@given(seeds, names, st.sampled_from([1.0, 40.0]))
def test_memory_of_hosts_is_respected(seed: int, text: str, slow: float) -> None:
    # With forty times the network to transfer, migrations outlast intervals.
    load = random_load(seed, instances=40, values=16)
    hosts = hosts_of([msgspec.structs.replace(kind, mbit=kind.mbit / slow) for kind in STUDY_HOSTS], 60)
    found = simulate(load, hosts, policy(text), Randomness(1))
    used = np.bincount(found.assignment, load.instances["memory"], minlength=60)
    assert (used <= 4096).all()


@settings(deadline=None, max_examples=25)
@given(seeds, names, every)
def test_shares_are_shares_and_sums_fit(seed: int, text: str, conventions: Conventions) -> None:
    found = _study(random_load(seed, instances=40, values=16), text, conventions)
    figures = found.figures()
    for name in ("pdm", "slatah", "sla_violation"):
        assert -1e-12 <= figures[name] <= 1
    assert figures["pdm"] <= figures["sla_violation"] + 1e-12
    assert (found.given <= found.asked * (1 + 1e-12)).all()
    assert found.series.migrations.sum() == found.migrations
    assert found.on_s.sum() == pytest.approx(found.hosts_on_s)
    assert found.hosts_on_s * 86 - 1e-6 <= found.energy <= found.hosts_on_s * 135 + 1e-6


@settings(deadline=None, max_examples=25)
@given(seeds, st.floats(0, 1))
def test_less_load_never_costs_more_energy(seed: int, factor: float) -> None:
    load = random_load(seed, instances=40, values=8)
    less = load._replace(share=load.share * factor)
    assert _study(less, "dvfs").energy <= _study(load, "dvfs").energy + 1e-6


@settings(deadline=None, max_examples=10)
@given(seeds, names)
def test_the_same_seed_gives_the_same_outcome(seed: int, text: str) -> None:
    load = random_load(seed, instances=40, values=10)
    one, other = _study(load, text, seed=7), _study(load, text, seed=7)
    assert one.energy == other.energy and one.assignment.tolist() == other.assignment.tolist()


def test_another_seed_gives_another_random_selection() -> None:
    load = random_load(3, instances=60, values=20)
    found = {_study(load, "thr-rs-0.5", seed=seed).energy for seed in range(4)}
    assert len(found) > 1


def test_consolidation_saves_energy_where_memory_allows() -> None:
    load = random_load(5, instances=60, values=40)
    free = msgspec.structs.replace(OURS, memory_free=True)
    assert _study(load, "thr-mmt", free).energy < 0.8 * _study(load, "dvfs", free).energy
