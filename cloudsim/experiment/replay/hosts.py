"""The hosts of a replay: groups of equal ones, in the order of their slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cloudsim.experiment.errors import ScenarioError
from cloudsim.placement import HostArrays


class HostGroup(NamedTuple):
    """`number` equal hosts: `cores` of `mhz` each and `memory_mib`, in a pod and a cluster.

    `cpu_overcommit` and `memory_overcommit` multiply what the host gives, as the management server's over-provisioning
    factors do. `numa` are the (MHz, MiB) that each NUMA node has left; empty where that is not known.
    """

    number: int
    cores: int
    memory_mib: int
    mhz: int = 1000
    gpus: int = 0
    gpu_model: str = ""
    tags: tuple[str, ...] = ()
    pod: str = "pod-1"
    cluster: str = "cluster-1"
    cpu_overcommit: float = 1.0
    memory_overcommit: float = 1.0
    numa: tuple[tuple[int, int], ...] = ()

    @property
    def cpu(self) -> int:
        """MHz that one host gives."""
        return int(self.cores * self.mhz * self.cpu_overcommit)

    @property
    def memory(self) -> int:
        """MiB that one host gives."""
        return int(self.memory_mib * self.memory_overcommit)

    @property
    def plain(self) -> bool:
        """Whether CPU and memory are all that there is to it."""
        return not (self.gpus or self.tags or self.numa)


def arrays_of(groups: Sequence[HostGroup]) -> HostArrays:
    """The arrays of those hosts, with nothing on them."""
    arrays = HostArrays()
    for group in groups:
        for _ in range(group.number):
            name = f"host-{arrays.size + 1}"
            slot = arrays.add(name, "zone-1", group.pod, group.cluster, group.tags, group.gpu_model)
            arrays.resize(
                slot, cpus=group.cores, speed=group.mhz, cpu=group.cpu, memory=group.memory, enabled=True
            )
            if group.gpus:
                arrays.set_gpus(slot, group.gpus)
            if group.numa:
                arrays.set_numa(slot, [cpu for cpu, _ in group.numa], [memory for _, memory in group.numa])
    return arrays


def groups_of(description: Mapping[str, Any]) -> list[HostGroup]:
    """The hosts of a datacenter's description (plain data, one zone), in the order in which a cloud adds them.

    Raises ScenarioError for one with several zones, since a replay places in one.
    """
    zones = _listed(description.get("zones", [{}]))
    if sum(zone.get("count", 1) for zone in zones) != 1:
        raise ScenarioError("datacenter: expected exactly one zone: a replay places in one")
    found: list[HostGroup] = []
    pod_number = rack_number = 0
    for pod in _listed(zones[0].get("pods", [{}])):
        for _ in range(pod.get("count", 1)):
            pod_number += 1
            for rack in _listed(pod.get("racks", [{}])):
                for _ in range(rack.get("count", 1)):
                    rack_number += 1
                    for hosts in _listed(rack.get("hosts", 4)):
                        found.append(_group(hosts, f"pod-{pod_number}", f"cluster-{rack_number}"))
    return found


def _listed(value: Any) -> list[dict[str, Any]]:
    """A number stands for that many with everything left out."""
    return [{"count": value}] if isinstance(value, int) else list(value)


def _group(hosts: Mapping[str, Any], pod: str, cluster: str) -> HostGroup:
    memory = hosts.get("memory_mib") or round(hosts.get("memory_gib", 32) * 1024)
    return HostGroup(
        number=hosts.get("count", 1),
        cores=hosts.get("cores", 8),
        memory_mib=memory,
        mhz=hosts.get("mhz", 2000),
        gpus=hosts.get("gpus", 0),
        gpu_model=hosts.get("gpu_model", ""),
        pod=pod,
        cluster=cluster,
    )
