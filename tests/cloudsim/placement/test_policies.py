"""What each policy says that it chooses, held against a naive reading of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.settings import Settings
from cloudsim.model import ROW_TYPES, Host, VirtualMachine
from cloudsim.placement import HostCapacity, NoPlace, PlacementRequest, Planner, Policy, policy
from cloudsim.placement.naming import CLOUDSTACK_NAMES, policies
from cloudsim.randomness import Randomness
from cloudsim.store import Store


class Site(NamedTuple):
    """A host of a case: its pod, and for each account how many instances of which memory it has."""

    pod: int
    cpus: int
    load: tuple[tuple[str, int], ...]


sites = st.lists(
    st.builds(
        Site,
        st.integers(0, 2),
        st.sampled_from((2, 4, 8)),
        st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from((512, 1024))), max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=8,
)
requests = st.builds(
    lambda cpu, memory, account: PlacementRequest(cpu, memory, account_id=account),
    st.sampled_from((500, 2000, 4000)),
    st.sampled_from((512, 4096)),
    st.sampled_from("abc"),
)


class Bench:
    def __init__(self, case: list[Site]) -> None:
        self.case = case
        store = Store(ROW_TYPES)
        self.settings = Settings(store, Randomness(1), lambda: 0.0)
        with store.transaction():
            for n, site in enumerate(case):
                store.table(Host).insert(
                    Host(
                        id=f"h-{n}",
                        name=f"h-{n}",
                        guid=f"h-{n}",
                        zone_id="z",
                        pod_id=f"p-{site.pod}",
                        cluster_id=f"c-{site.pod}",
                        hypervisor="Simulator",
                        url="",
                        private_ip="",
                        cpus=site.cpus,
                        cpu_mhz=1000,
                        memory_mib=4096,
                        state="Up",
                    )
                )
                for m, (account, memory) in enumerate(site.load):
                    store.table(VirtualMachine).insert(
                        VirtualMachine(
                            id=f"v-{n}-{m}",
                            name="",
                            display_name="",
                            instance_name=f"i-{n}-{m}",
                            account_id=account,
                            domain_id="d",
                            zone_id="z",
                            template_id="t",
                            service_offering_id="s",
                            cpus=1,
                            cpu_mhz=500,
                            memory_mib=memory,
                            host_id=f"h-{n}",
                        )
                    )
        for what in ("cpu", "memory"):
            self.settings.set(f"cluster.{what}.allocated.capacity.disablethreshold", "1")
        self.hosts = HostCapacity(store, self.settings)
        self.planner = Planner(self.hosts, self.settings, Randomness(5))

    def room(self, slot: int) -> int:
        return self.case[slot].cpus * 1000 - 500 * len(self.case[slot].load)

    def fits(self, request: PlacementRequest) -> list[int]:
        """Slots of the hosts with CPU and memory enough, one after the other."""
        return [
            slot
            for slot, site in enumerate(self.case)
            if self.room(slot) >= request.cpu
            and 4096 - sum(memory for _, memory in site.load) >= request.memory
        ]

    def mine(self, slot: int, account: str) -> int:
        return sum(owner == account for owner, _ in self.case[slot].load)

    def pod_of(self, account: str) -> dict[int, int]:
        counts: dict[int, int] = {}
        for slot, site in enumerate(self.case):
            if self.mine(slot, account):
                counts[site.pod] = counts.get(site.pod, 0) + self.mine(slot, account)
        return counts


def reference(name: str, bench: Bench, request: PlacementRequest) -> int:
    """The slot that the policy's description means."""
    fits = bench.fits(request)
    if name == "first-fit":
        return fits[0]
    if name == "best-fit":
        return min(fits, key=lambda slot: (bench.room(slot), slot))
    if name == "worst-fit":
        return min(fits, key=lambda slot: (-bench.room(slot), slot))
    if name == "user-dispersing":
        return min(fits, key=lambda slot: (bench.mine(slot, request.account_id), slot))
    assert name == "user-concentrated-pod"
    counts = bench.pod_of(request.account_id)
    pods = {slot: bench.case[slot].pod for slot in fits}
    numbers = {site.pod: n for n, site in reversed(list(enumerate(bench.case)))}  # pods by their first host
    most = [p for p in pods.values() if p in counts]
    if not most:
        return fits[0]
    best = min(set(most), key=lambda p: (-counts[p], numbers[p]))
    return next(slot for slot in fits if pods[slot] == best)


@pytest.mark.parametrize(
    "name", ["first-fit", "best-fit", "worst-fit", "user-dispersing", "user-concentrated-pod"]
)
@settings(max_examples=150, deadline=None)
@given(case=sites, request=requests)
def test_it_chooses_what_it_says(name: str, case: list[Site], request: PlacementRequest) -> None:
    bench = Bench(case)
    if not bench.fits(request):
        with pytest.raises(NoPlace):
            bench.planner.plan(request, planner=name)
        return
    assert bench.planner.plan(request, planner=name) == reference(name, bench, request)


@settings(max_examples=80, deadline=None)
@given(case=sites, asked=st.lists(requests, min_size=1, max_size=6))
def test_round_robin_goes_on_from_the_host_after_the_last(
    case: list[Site], asked: list[PlacementRequest]
) -> None:
    bench, after = Bench(case), 0
    for request in asked:
        fits = bench.fits(request)
        if fits:
            wanted = next((slot for slot in fits if slot >= after), fits[0])
            assert bench.planner.plan(request, planner="round-robin") == wanted
            after = (wanted + 1) % len(case)


def test_random_takes_each_host_that_fits_about_as_often() -> None:
    bench = Bench([Site(0, 8, ()), Site(0, 2, ()), Site(1, 8, ()), Site(1, 8, ())])
    request = PlacementRequest(cpu=4000, memory=512)
    counts = np.bincount([bench.planner.plan(request, planner="random") for _ in range(3000)], minlength=4)
    assert counts[1] == 0 and all(900 < counts[slot] < 1100 for slot in (0, 2, 3))


def test_the_same_seed_makes_the_same_random_choices() -> None:
    request = PlacementRequest(cpu=500, memory=512)

    def choices() -> list[int]:
        bench = Bench([Site(0, 8, ())] * 8)
        return [bench.planner.plan(request, planner="random") for _ in range(20)]

    assert choices() == choices()


@pytest.mark.parametrize("name", sorted(policies()))
def test_every_installed_policy_takes_the_only_host_there_is(name: str) -> None:
    bench = Bench([Site(0, 2, ()), Site(0, 8, ()), Site(1, 2, ())])
    assert bench.planner.plan(PlacementRequest(cpu=4000, memory=512), planner=name) == 1


@pytest.mark.parametrize(("cloudstack", "ours"), sorted(CLOUDSTACK_NAMES.items()))
def test_cloudstacks_names_mean_a_policy_of_ours(cloudstack: str, ours: str) -> None:
    assert type(policy(cloudstack, Randomness(1))).name == ours.split(",")[0]


def test_a_policy_of_ones_own_is_found_by_module_and_class() -> None:
    assert isinstance(policy("cloudsim.placement.policies.best_fit:BestFit", Randomness(1)), Policy)
    for name, text in (
        ("tallest", "no placement policy 'tallest'; there are best-fit"),
        ("nowhere:Policy", "cannot be loaded"),
        ("cloudsim.placement.planner:Planner", "is not a cloudsim.placement.Policy"),
    ):
        with pytest.raises(InvalidParameterValue, match=text):
            policy(name, Randomness(1))
