"""A replay and a run of the whole cloud, without latencies, place every instance on the same host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import blocks_of
from cloudsim.experiment.reading import parse
from cloudsim.experiment.replay import groups_of, replay
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.run import run
from cloudsim.experiment.summary import placement_check
from cloudsim.experiment.traces.table_writing import write_table
from cloudsim.placement.naming import policies
from cloudsim.randomness import Randomness

HERE = Path()
NO_LATENCY = {"gbps": 100, "latency_us": 0}
FABRIC = {
    name: NO_LATENCY for name in ("host", "rack", "spine", "core", "storage", "management", "internet")
}
SETTINGS = {
    "ping.interval": 86_400,
    "cluster.cpu.allocated.capacity.disablethreshold": 1,
    "cluster.memory.allocated.capacity.disablethreshold": 1,
}

SERVERS = {"count": 50, "cores": 64, "mhz": 1000, "memory_gib": 256}

hosts = st.fixed_dictionaries(
    {
        "count": st.integers(1, 3),
        "cores": st.sampled_from((4, 8, 12)),
        "mhz": st.sampled_from((1000, 2000)),
        "memory_gib": st.sampled_from((8, 16, 32)),
    }
)
racks = st.lists(st.lists(hosts, min_size=1, max_size=2), min_size=1, max_size=3)


@st.composite
def traces(draw: st.DrawFn) -> list[VmRequest]:
    """Some dozens of requests that fill those hosts now and then, many of them at one instant."""
    found = []
    arrival = 0
    for number in range(draw(st.integers(1, 40))):
        arrival += draw(st.sampled_from((0, 0, 1, 1000, 60_000, 600_000)))
        lifetime = draw(st.sampled_from((None, 1, 1000, 61_000, 600_000, 3_600_000)))
        foretold = draw(st.sampled_from((None, 1.0, 3.0)))
        found.append(
            VmRequest(
                f"r{number}",
                arrival,
                lifetime,
                cpus=draw(st.sampled_from((1, 2, 4))),
                cpu_mhz=draw(st.sampled_from((500, 1000))),
                memory_mib=draw(st.sampled_from((512, 2048, 6144))),
                tenant=draw(st.sampled_from(("", "a", "b"))),
                expected_ms=None if lifetime is None or foretold is None else round(lifetime * foretold),
                affinity=draw(st.sampled_from(((), (), (), ("together",)))),
                anti_affinity=draw(st.sampled_from(((), (), (), ("apart",)))),
            )
        )
    return found


def one_group_at_most(request: VmRequest) -> VmRequest:
    """Affinity groups are their owner's in a cloud, and the trace's in a replay: those with one have one owner here."""
    owner = "" if request.affinity or request.anti_affinity else request.tenant
    return msgspec.structs.replace(request, tenant=owner)


def scenario(datacenter: dict[str, Any], policy: str, seed: int) -> str:
    return yaml.safe_dump(
        {
            "name": "two engines",
            "seed": seed,
            "datacenter": {"inline": datacenter},
            "workload": {"format": "table", "path": "trace.csv"},
            "policy": policy,
            "latency": "zero",
            "lifetime_from": "arrival",
            "settings": SETTINGS,
        }
    )


@pytest.mark.parametrize("policy", sorted(policies()))
@settings(max_examples=4, deadline=None)
@given(layout=racks, requests=traces(), seed=st.integers(0, 3))
def test_both_place_every_instance_on_the_same_host(
    tmp_path_factory: pytest.TempPathFactory,
    policy: str,
    layout: list[list[dict[str, Any]]],
    requests: list[VmRequest],
    seed: int,
) -> None:
    requests = [one_group_at_most(request) for request in requests]
    folder = tmp_path_factory.mktemp("two")
    write_table(folder / "trace.csv", requests)
    datacenter = {"zones": [{"pods": [{"racks": [{"hosts": rack} for rack in layout]}]}], "fabric": FABRIC}

    ran = run(parse(scenario(datacenter, policy, seed), "two.yaml", folder))
    replayed = replay(
        lambda: blocks_of(requests), groups_of(datacenter), policy, seed=seed, keep_assignments=True
    )

    slots = {host.name: slot for slot, host in enumerate(ran.hosts)}
    placed = [
        slots[host] if host is not None and outcome == "placed" else -1
        for host, outcome in zip(ran.outcomes.host, ran.outcomes.outcome, strict=True)
    ]
    assert replayed.assignments is not None
    assert placed == replayed.assignments.tolist()
    assert dict(ran.outcomes.causes) == replayed.totals.rejected


def test_both_place_w1_alike_though_instances_leave_in_the_very_millisecond_of_arrivals() -> None:
    text = yaml.safe_dump(
        {
            "name": "w1",
            "datacenter": {
                "inline": {
                    "zones": [{"pods": [{"racks": [{"hosts": [SERVERS]}]}]}],
                    "fabric": FABRIC,
                }
            },
            "workload": {"format": "w1", "hosts": 50, "requests_after_warm_start": 1500},
            "policy": "first-fit",
            "latency": "zero",
            "lifetime_from": "arrival",
            "settings": SETTINGS,
        }
    )
    loaded = parse(text, "w1.yaml", HERE)
    ran = run(loaded)
    datacenter = loaded.scenario.datacenter.inline
    assert datacenter is not None
    replayed = replay(
        lambda: loaded.scenario.workload.blocks(HERE, Randomness(0)), groups_of(datacenter), "first-fit"
    )
    assert placement_check(ran) == replayed.totals.check
