"""The hosts of a comparison's cluster: as groups for a replay, and as a scenario's datacenter for a full run."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cloudsim.experiment.compare.spec import ClusterSpec, Hosts, HuaweiServers
from cloudsim.experiment.datacenter import description
from cloudsim.experiment.errors import ScenarioError
from cloudsim.experiment.replay import HostGroup, groups_of
from cloudsim.experiment.traces.huawei_hosts import read_hosts

HUAWEI_MHZ = 1000


class Cluster(NamedTuple):
    """Hosts by name of their cluster. `datacenter` describes them for a full run; None where only a replay knows such hosts."""

    name: str
    groups: tuple[HostGroup, ...]
    datacenter: dict[str, Any] | None
    cpu_overcommit: float
    memory_overcommit: float

    @property
    def hosts(self) -> int:
        return sum(group.number for group in self.groups)

    @property
    def pods(self) -> int:
        return len({group.pod for group in self.groups})


def cluster_of(spec: ClusterSpec, folder: Path) -> Cluster:
    """Read what the cluster names. Raises ScenarioError or TraceError for what is not right."""
    described: dict[str, Any] | None = None
    if spec.huawei_servers is not None:
        groups = _huawei(spec.huawei_servers, folder)
    else:
        described = _described(spec, folder)
        try:
            groups = groups_of(described)
        except (AttributeError, TypeError) as error:
            raise ScenarioError(f"expected a datacenter's description: {error}") from error
    if any(group.cores < 1 or group.memory_mib < 1 for group in groups):
        raise ScenarioError("expected hosts with at least one core and one MiB")
    factors = spec.cpu_overcommit, spec.memory_overcommit
    given = tuple(g._replace(cpu_overcommit=factors[0], memory_overcommit=factors[1]) for g in groups)
    return Cluster(spec.name, given, described, *factors)


def _described(spec: ClusterSpec, folder: Path) -> dict[str, Any]:
    if spec.datacenter is None:
        return _of_hosts(spec.hosts)
    found = description(spec.datacenter, folder)
    if not isinstance(found, str):
        return found
    try:
        data = yaml.safe_load(Path(found).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{found}: {error}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{found}: expected a datacenter's description, with `zones`")
    return data


def _of_hosts(hosts: tuple[Hosts, ...]) -> dict[str, Any]:
    """One zone; a pod and a rack for each number, which may not go back, as hosts keep their order."""
    places = [(each.pod, each.rack) for each in hosts]
    if places != sorted(places):
        raise ScenarioError("expected hosts in the order of their pods and racks")
    pods = []
    for _, in_pod in groupby(hosts, key=lambda each: each.pod):
        racks = [{"hosts": [_kind(h) for h in rack]} for _, rack in groupby(in_pod, key=lambda each: each.rack)]
        pods.append({"racks": racks})
    return {"zones": [{"pods": pods}]}


def _kind(hosts: Hosts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "count": hosts.count,
        "cores": hosts.cores,
        "mhz": hosts.mhz,
        "memory_mib": max(1, round(1024 * hosts.memory_gib)),
    }
    if hosts.gpus:
        found |= {"gpus": hosts.gpus, "gpu_model": hosts.gpu_model}
    return found


def _huawei(spec: HuaweiServers, folder: Path) -> list[HostGroup]:
    """Each server as a group; one that is full, on one of its NUMA nodes or on both, is a host with no room there."""
    topology = None if spec.topology is None else folder / spec.topology
    return [
        HostGroup(
            number=1,
            cores=host.cores,
            memory_mib=host.memory_mib,
            mhz=HUAWEI_MHZ,
            pod=f"rack-{host.rack}" if host.rack else "pod-1",
            cluster=f"rack-{host.rack}" if host.rack else "cluster-1",
            numa=tuple((HUAWEI_MHZ * node.cores, node.memory_mib) for node in host.nodes),
        )
        for host in read_hosts(folder / spec.resources, topology)
    ]
