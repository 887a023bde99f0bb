"""The planner's filters as a list, one after the other, each with what it wants and what a host has instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudsim.placement.arrays import Ints, Mask
from cloudsim.placement.explaining import Say, Stage
from cloudsim.placement.policy import Policy
from cloudsim.placement.request import Dedication, Failover, PlacementRequest

if TYPE_CHECKING:
    from cloudsim.placement.planner import Planner


class Where(NamedTuple):
    """Where an instance may go: ids of a zone, pod and cluster, the only hosts, and those to leave out."""

    zone_id: str | None = None
    pod_id: str | None = None
    cluster_id: str | None = None
    host_ids: Iterable[str] | None = None
    avoid: Iterable[str] = ()


_DEDICATION: dict[Dedication, str] = {
    "own": "anybody's, or dedicated to the account or its domain",
    "none": "anybody's",
    "only": "dedicated to the account or its domain",
    "any": "any",
}

_FAILOVER: dict[Failover, str] = {
    "no": "not kept free for failover",
    "only": "kept free for failover",
    "any": "any",
}


def stages(planner: Planner, request: PlacementRequest, policy: Policy, where: Where) -> list[Stage]:
    """The filters that a planning of `request` goes through. All of them together leave what `feasible` does."""
    hosts = planner.hosts
    n = hosts.size
    enabled: Mask = hosts.enabled[:n]
    found: list[Stage] = [("state", "Up and Enabled", enabled, lambda _: "not Up, or disabled")]
    for name, row_id, groups in (
        ("zone", where.zone_id, hosts.zone),
        ("pod", where.pod_id, hosts.pod),
        ("cluster", where.cluster_id, hosts.cluster),
    ):
        if row_id is not None:
            found.append((name, row_id, groups[:n] == hosts.group(row_id), lambda _: "elsewhere"))
    if where.host_ids is not None:
        allowed = planner.only(where.host_ids)
        wanted = f"one of {int(allowed.sum())} hosts"
        found.append(("allowed hosts", wanted, allowed, lambda _: "not among them"))
    avoided = ~planner.only(where.avoid)
    if not avoided.all():
        found.append(("avoided hosts", "another host", avoided, lambda _: "failed before, or excluded"))
    if hosts.owners or request.dedication == "only":
        mine = _DEDICATION[request.dedication]
        found.append(("dedication", mine, planner.undedicated(request), lambda _: "dedicated to others"))
    if request.tags:
        found.append(
            (
                "host tags",
                ", ".join(request.tags),
                planner.tagged(request.tags),
                lambda slot: ", ".join(sorted(hosts.tags[slot])) or "none",
            )
        )
    if hosts.failover_tag:
        which = _FAILOVER[request.failover]
        said = "kept free for failover" if request.failover == "no" else "not kept free for failover"
        found.append(("failover", which, planner.for_failover(request), lambda _: said))
    if request.gpus:
        of = f" of {' or '.join(request.gpu_models)}" if request.gpu_models else ""
        found.append(
            (
                "GPUs",
                f"{request.gpus}{of} with {request.gpu_milli} thousandths free",
                planner.with_gpus(request),
                lambda slot: _gpus(hosts.models[slot], hosts.gpu_free[slot]),
            )
        )
    found += [
        ("cores", f"{request.cpus}", hosts.cpus[:n] >= request.cpus, _number(hosts.cpus, "")),
        ("speed", f"{request.speed} MHz", hosts.speed[:n] >= request.speed, _number(hosts.speed, " MHz")),
        (
            "CPU",
            f"{request.cpu} MHz",
            hosts.cpu_room[:n] >= request.cpu,
            _number(hosts.cpu_room, " MHz free"),
        ),
        (
            "memory",
            f"{request.memory} MiB",
            hosts.memory_room[:n] >= request.memory,
            _number(hosts.memory_room, " MiB free"),
        ),
    ]
    if hosts.numa_cpu.shape[1]:
        wanted = f"room on {request.numa_nodes} of a host's nodes"
        found.append(("NUMA", wanted, planner.on_nodes(request), lambda _: "too little on its nodes"))
    below = planner.below_threshold(request, np.ones(n, np.bool_))
    if not below.all():
        found.append(("cluster threshold", "a cluster below it", below, lambda _: "its cluster is above it"))
    by_policy = policy.filter(request, hosts)
    if by_policy is not None:
        found.append((f"policy {policy.name}", "allowed by it", by_policy, lambda _: "not allowed"))
    return found


def _number(values: Ints, unit: str) -> Say:
    return lambda slot: f"{int(values[slot])}{unit}"


def _gpus(model: str, free: Ints) -> str:
    there = [int(milli) for milli in free if milli >= 0]
    return f"{model or 'GPU'}: {', '.join(map(str, there))} thousandths free" if there else "none"
