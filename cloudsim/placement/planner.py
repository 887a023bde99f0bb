"""The deployment planner: from all hosts to the one, by filters and then a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np

from cloudsim.errors import InsufficientCapacity, InvalidParameterValue
from cloudsim.placement.arrays import HostArrays, Mask
from cloudsim.placement.explaining import Planning, explain
from cloudsim.placement.naming import policy
from cloudsim.placement.policy import Policy
from cloudsim.placement.request import PlacementRequest
from cloudsim.placement.settings import PlacementSettings
from cloudsim.placement.stages import Where, stages
from cloudsim.randomness import Randomness

Cause = Literal[
    "no host", "cpu", "memory", "gpu", "tags", "threshold", "constraint", "dedicated", "failover", "numa", "policy"
]


class NoPlace(InsufficientCapacity):
    """No host can hold the request; `cause` is the first filter that left none."""

    def __init__(self, text: str, cause: Cause) -> None:
        super().__init__(text)
        self.cause = cause


class Planner:
    """Plans over the hosts of one cloud. Filters are masks over slots; the policy is chosen by name.

    The policy is the one that the caller names (an offering's planner), else the setting
    `vm.allocation.algorithm`. `on_planned`, where set, says whether it wants the coming planning explained; if so it
    gives what hears the explanation.
    """

    def __init__(self, hosts: HostArrays, settings: PlacementSettings, randomness: Randomness) -> None:
        self.hosts = hosts
        self._settings = settings
        self._randomness = randomness.branch("placement")
        self._policies: dict[str, Policy] = {}
        self.on_planned: Callable[[], Callable[[Planning], object] | None] | None = None

    def policy(self, name: str | None) -> Policy:
        """The policy of that name, or the one that the settings name."""
        name = name or self._settings.get("vm.allocation.algorithm")
        found = self._policies.get(name)
        if found is None:
            found = self._policies[name] = policy(name, self._randomness)
        return found

    def plan(
        self,
        request: PlacementRequest,
        *,
        zone_id: str | None = None,
        pod_id: str | None = None,
        cluster_id: str | None = None,
        host_ids: Iterable[str] | None = None,
        avoid: Iterable[str] = (),
        planner: str | None = None,
    ) -> int:
        """The slot of the host to use. `host_ids`, where given, are the only ones allowed.

        Raises NoPlace; InvalidParameterValue where the policy does not keep to what a policy is.
        """
        chooser = self.policy(planner)
        where = Where(zone_id, pod_id, cluster_id, host_ids, avoid)
        tell = None if self.on_planned is None else self.on_planned()
        if tell is None:
            return self._choose(request, chooser, where)
        if host_ids is not None:
            where = where._replace(host_ids=tuple(host_ids))
        where = where._replace(avoid=tuple(avoid))
        try:
            slot = self._choose(request, chooser, where)
        except NoPlace as error:
            applied = stages(self, request, chooser, where)
            tell(explain(self.hosts, chooser, request, applied, None, error.text))
            raise
        tell(explain(self.hosts, chooser, request, stages(self, request, chooser, where), slot, ""))
        return slot

    def _choose(self, request: PlacementRequest, chooser: Policy, where: Where) -> int:
        feasible = self.feasible(
            request,
            zone_id=where.zone_id,
            pod_id=where.pod_id,
            cluster_id=where.cluster_id,
            host_ids=where.host_ids,
            avoid=where.avoid,
        )
        allowed = chooser.filter(request, self.hosts)
        if allowed is not None:
            feasible &= allowed
            if not feasible.any():
                raise NoPlace(f"Unable to create a deployment: no host that policy {chooser.name} allows (policy)", "policy")
        slot = chooser.choose(request, self.hosts, feasible)
        if not (0 <= slot < len(feasible) and feasible[slot]):
            raise InvalidParameterValue(f"policy {chooser.name} chose host {slot}, which cannot hold the request")
        return slot

    def feasible(
        self,
        request: PlacementRequest,
        *,
        zone_id: str | None = None,
        pod_id: str | None = None,
        cluster_id: str | None = None,
        host_ids: Iterable[str] | None = None,
        avoid: Iterable[str] = (),
    ) -> Mask:
        """The mask of the hosts that can hold the request, at least one. Raises NoPlace."""
        hosts = self.hosts
        n = hosts.size
        mask: Mask = hosts.cpu_room[:n] >= request.cpu
        mask &= hosts.memory_room[:n] >= request.memory
        if request.cpus > hosts.least_cpus:
            mask &= hosts.cpus[:n] >= request.cpus
        if request.speed > hosts.least_speed:
            mask &= hosts.speed[:n] >= request.speed
        if zone_id is not None and hosts.zones != {hosts.group(zone_id)}:
            mask &= hosts.zone[:n] == hosts.group(zone_id)
        for row_id, groups in ((pod_id, hosts.pod), (cluster_id, hosts.cluster)):
            if row_id is not None:
                mask &= groups[:n] == hosts.group(row_id)
        if host_ids is not None:
            mask &= self.only(host_ids)
        for host_id in avoid:
            slot = hosts.slot.get(host_id)
            if slot is not None:
                mask[slot] = False
        if request.tags:
            mask &= self.tagged(request.tags)
        if hosts.failover_tag:
            mask &= self.for_failover(request)
        if request.gpus:
            mask &= self.with_gpus(request)
        if hosts.numa_cpu.shape[1]:
            mask &= self.on_nodes(request)
        if hosts.owners or request.dedication == "only":
            mask &= self.undedicated(request)
        if not mask.any():
            raise self._no_place(request, zone_id, pod_id, cluster_id, host_ids)
        mask = self.below_threshold(request, mask)
        if not mask.any():
            raise NoPlace(
                "Unable to create a deployment: every cluster is above its capacity threshold", "threshold"
            )
        return mask

    def only(self, host_ids: Iterable[str]) -> Mask:
        allowed = np.zeros(self.hosts.size, np.bool_)
        for host_id in host_ids:
            slot = self.hosts.slot.get(host_id)
            if slot is not None:
                allowed[slot] = True
        return allowed

    def tagged(self, tags: tuple[str, ...]) -> Mask:
        wanted = frozenset(tags)
        return np.fromiter((wanted <= have for have in self.hosts.tags), np.bool_, self.hosts.size)

    def for_failover(self, request: PlacementRequest) -> Mask:
        """Hosts that are not kept free for failover, or those that are, as the request says or asks for by their tag."""
        kept = self.hosts.failover[: self.hosts.size]
        if request.failover == "any" or self.hosts.failover_tag in request.tags:
            return np.ones(self.hosts.size, np.bool_)
        return kept if request.failover == "only" else ~kept

    def with_gpus(self, request: PlacementRequest) -> Mask:
        hosts = self.hosts
        n = hosts.size
        fits: Mask = (hosts.gpu_free[:n] >= request.gpu_milli).sum(axis=1) >= request.gpus
        if request.gpu_models:
            wanted = set(request.gpu_models)
            fits &= np.fromiter((model in wanted for model in hosts.models), np.bool_, n)
        return fits

    def on_nodes(self, request: PlacementRequest) -> Mask:
        """Hosts with NUMA nodes enough for it, and those that do not say what nodes they have."""
        hosts, nodes = self.hosts, request.numa_nodes
        cpu, memory = hosts.numa_cpu[: hosts.size], hosts.numa_memory[: hosts.size]
        fits = (cpu * nodes >= request.cpu) & (memory * nodes >= request.memory)
        found: Mask = (fits.sum(axis=1) >= nodes) | (cpu < 0).all(axis=1)
        return found

    def undedicated(self, request: PlacementRequest) -> Mask:
        """Hosts that are anybody's, those dedicated to the request's account or to a domain that it is in, or both."""
        dedicated = self.hosts.dedicated[: self.hosts.size]
        if request.dedication == "any":
            return np.ones(self.hosts.size, np.bool_)
        mask: Mask = dedicated == -1
        if request.dedication == "none":
            return mask
        if request.dedication == "only":
            mask = np.zeros(self.hosts.size, np.bool_)
        for owner_id in (request.account_id, *request.domain_ids):
            owner = self.hosts.owners.get(owner_id)
            if owner is not None:
                mask |= dedicated == owner
        return mask

    def below_threshold(self, request: PlacementRequest, mask: Mask) -> Mask:
        hosts = self.hosts
        cpu_limit, own_cpu = self._limits("cluster.cpu.allocated.capacity.disablethreshold")
        memory_limit, own_memory = self._limits("cluster.memory.allocated.capacity.disablethreshold")
        if cpu_limit >= 1 and memory_limit >= 1 and not own_cpu and not own_memory:
            return mask
        over = [
            cluster
            for cluster, total in hosts.cluster_cpu_total.items()
            if hosts.cluster_cpu_used[cluster] + request.cpu > own_cpu.get(cluster, cpu_limit) * total
            or hosts.cluster_memory_used[cluster] + request.memory
            > own_memory.get(cluster, memory_limit) * hosts.cluster_memory_total[cluster]
        ]
        return mask & ~np.isin(hosts.cluster[: hosts.size], over) if over else mask

    def _limits(self, name: str) -> tuple[float, dict[int, float]]:
        """A threshold: everywhere, and in the clusters that have one of their own."""
        own = self._settings.own(name, "Cluster")
        return self._settings.number(name), {self.hosts.group(row_id): limit for row_id, limit in own.items()}

    def _no_place(
        self,
        request: PlacementRequest,
        zone_id: str | None,
        pod_id: str | None,
        cluster_id: str | None,
        host_ids: Iterable[str] | None,
    ) -> NoPlace:
        """Apply the filters again one by one, to say which left no host."""
        hosts = self.hosts
        n = hosts.size
        mask: Mask = hosts.enabled[:n].copy()
        for row_id, groups in ((zone_id, hosts.zone), (pod_id, hosts.pod), (cluster_id, hosts.cluster)):
            if row_id is not None:
                mask &= groups[:n] == hosts.group(row_id)
        steps: list[tuple[Cause, Mask]] = [
            ("cpu", (hosts.cpus[:n] >= request.cpus) & (hosts.speed[:n] >= request.speed)),
            ("cpu", hosts.cpu_room[:n] >= request.cpu),
            ("memory", hosts.memory_room[:n] >= request.memory),
        ]
        if request.gpus:
            steps.insert(0, ("gpu", self.with_gpus(request)))
        if request.tags:
            steps.insert(0, ("tags", self.tagged(request.tags)))
        if hosts.numa_cpu.shape[1]:
            steps.append(("numa", self.on_nodes(request)))
        if hosts.owners or request.dedication == "only":
            steps.insert(0, ("dedicated", self.undedicated(request)))
        if hosts.failover_tag:
            steps.insert(0, ("failover", self.for_failover(request)))
        if host_ids is not None:
            steps.insert(0, ("constraint", self.only(host_ids)))
        cause: Cause = "no host" if not mask.any() else "constraint"
        if mask.any():
            for name, step in steps:
                mask &= step
                if not mask.any():
                    cause = name
                    break
        return NoPlace(
            "Unable to create a deployment, no usable host has enough capacity: "
            f"asked for {request.cpus} CPU of {request.speed} MHz and {request.memory} MiB of memory "
            f"({cause})",
            cause,
        )
