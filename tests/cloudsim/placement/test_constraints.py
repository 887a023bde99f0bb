"""What a request may ask for beyond CPU and memory holds under every policy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.placement import NoPlace, PlacementRequest
from cloudsim.placement.naming import policies
from tests.cloudsim.placement.policies.bench import MHZ, NOW, Bench, Site, Vm

owners = st.sampled_from((None, None, "a", "d-1"))
sites = st.tuples(
    st.sampled_from((2, 4)),
    st.sampled_from((4096, 8192)),
    st.lists(st.sampled_from((Vm(1024, 1024), Vm(2048, 256, "b"))), max_size=2).map(tuple),
    st.integers(0, 1),
    st.integers(0, 2),
    st.sampled_from(((), ("ssd",), ("ssd", "fast"))),
    st.sampled_from((1, 2)),
    owners,
).map(lambda fields: Site(*fields))
wishes = st.fixed_dictionaries(
    {"cpus": st.sampled_from((1, 4)), "account_id": st.sampled_from("ab")},
    optional={
        "tags": st.sampled_from((("ssd",), ("fast", "ssd"))),
        "gpus": st.integers(1, 2),
        "gpu_milli": st.sampled_from((500, 1000)),
        "domain_ids": st.just(("d-1", "root")),
    },
)


@pytest.mark.parametrize("name", sorted(policies()))
@settings(max_examples=20, deadline=None)
@given(
    cloud=st.lists(sites, min_size=1, max_size=6),
    wish=wishes,
    only=st.none() | st.sets(st.integers(0, 5)),
    avoid=st.sets(st.integers(0, 5), max_size=2),
)
def test_affinity_tags_gpus_dedication_and_overcommit_hold_under_every_policy(
    name: str, cloud: list[Site], wish: dict[str, object], only: set[int] | None, avoid: set[int]
) -> None:
    bench = Bench(cloud)
    request = PlacementRequest(1024, 256, time=NOW, **wish)  # type: ignore[arg-type]
    allowed = {slot for slot in bench.fitting(request) if only is None or slot in only} - avoid
    ids = None if only is None else [f"h-{slot}" for slot in only]
    try:
        slot = bench.plan(name, request, host_ids=ids, avoid=[f"h-{slot}" for slot in avoid])
    except NoPlace as error:
        assert not allowed or error.cause == "policy"
    else:
        assert slot in allowed


@pytest.mark.parametrize("name", sorted(policies()))
def test_an_instance_fits_the_numa_nodes_that_it_is_spread_over(name: str) -> None:
    bench = Bench([Site(), Site()])
    bench.hosts.set_numa(0, [4 * MHZ, 4 * MHZ], [4096, 4096])
    bench.hosts.set_numa(1, [6 * MHZ, 2 * MHZ], [4096, 4096])
    request = PlacementRequest(6 * MHZ, 2048, time=NOW)
    assert bench.plan(name, request) == 1, "six cores of one node"
    assert bench.plan(name, request._replace(numa_nodes=2)) == 0, "three cores of each of two"


def test_a_dedicated_host_is_for_its_owner_alone() -> None:
    bench = Bench([Site(dedicated="a"), Site(dedicated="d-1"), Site()])
    small = PlacementRequest(256, 256)
    assert bench.plan("first-fit", small._replace(account_id="a")) == 0
    assert bench.plan("first-fit", small._replace(account_id="b", domain_ids=("d-2", "d-1"))) == 1
    assert bench.plan("first-fit", small._replace(account_id="b", domain_ids=("d-2",))) == 2
    bench.hosts.dedicate(0, None)
    assert bench.plan("first-fit", small) == 0


@pytest.mark.parametrize(
    ("site", "wish", "cause"),
    [
        (Site(dedicated="a"), {"account_id": "b"}, "dedicated"),
        (Site(), {"tags": ("ssd",)}, "tags"),
        (Site(gpus=1, vms=(Vm(0, 0, gpu=600),)), {"gpus": 1, "gpu_milli": 500}, "gpu"),
        (Site(2), {"cpus": 4}, "cpu"),
        (Site(vms=(Vm(8 * MHZ, 256),)), {}, "cpu"),
        (Site(memory=128), {}, "memory"),
    ],
)
def test_a_refusal_names_the_first_thing_that_left_no_host(site: Site, wish: dict[str, object], cause: str) -> None:
    with pytest.raises(NoPlace) as refused:
        Bench([site]).plan("first-fit", PlacementRequest(1024, 256, **wish))  # type: ignore[arg-type]
    assert refused.value.cause == cause and refused.value.text.endswith(f"({cause})")


def test_cpu_that_is_promised_twice_can_be_taken_twice() -> None:
    bench = Bench([Site(overcommit=2, vms=(Vm(8 * MHZ, 256),))])
    assert bench.plan("best-fit", PlacementRequest(8 * MHZ, 256)) == 0


@pytest.mark.parametrize("name", sorted(policies()))
def test_hosts_that_are_kept_free_for_failover_take_nothing_else_and_failover_goes_nowhere_else(name: str) -> None:
    bench = Bench([Site(tags=("spare",)), Site()])
    request = PlacementRequest(1024, 256)
    kept, other = 0, 1
    bench.hosts.failover_tag = "spare"
    bench.hosts.failover[kept] = True
    assert bench.plan(name, request) == other
    assert bench.plan(name, request._replace(failover="only")) == kept
    assert bench.plan(name, request._replace(tags=("spare",))) == kept, "whose offering asks for the tag"
    assert bench.plan(name, request._replace(failover="any"), host_ids=["h-0"]) == kept
    with pytest.raises(NoPlace) as refused:
        bench.plan(name, request, host_ids=["h-0"])
    assert refused.value.cause == "failover"
