"""A description expanded: every zone, pod, rack, host and pool with its name, URL and addresses.

Names count through their parent: two racks described under one pod as `count: 2` and one more are
rack-1, rack-2, rack-3. A name of your own that stands once is kept as it is. A path such as
`zone-1/pod-2/rack-1/host-3` names one thing in the whole datacenter, and is the rest of its URL after
`http://sim/` (a host) or `nfs://sim/` (a pool).
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from backends.simulated.datacenter import (
    Datacenter,
    DatacenterError,
    Hosts,
    Pod,
    PrimaryPool,
    Rack,
    SecondaryStorage,
    Zone,
)

SERVER = "sim"
"""The host name in the URLs of a simulated datacenter."""

_COUNTED = frozenset({"zone", "pod", "rack", "host"})  # default names, which count even one alone
_SYSTEM_ADDRESSES = 62
_SMALLEST_BLOCK = 256


class HostPlan:
    """A host of the description. `name` is unique in its zone."""

    __slots__ = ("address", "group", "name", "path", "rack")

    def __init__(self, name: str, path: str, group: Hosts, address: str, rack: RackPlan) -> None:
        self.name = name
        self.path = path
        self.group = group
        self.address = address
        self.rack = rack

    @property
    def url(self) -> str:
        return f"http://{SERVER}/{self.path}"


class PoolPlan:
    """A primary pool; the paths of the pod and rack are None where it is shared more widely."""

    __slots__ = ("name", "path", "pod", "rack", "spec", "zone")

    def __init__(self, spec: PrimaryPool, path: str, zone: str, pod: str | None, rack: str | None) -> None:
        self.spec = spec
        self.path = path
        self.zone = zone
        self.pod = pod
        self.rack = rack
        self.name = path.partition("/")[2].replace("/", "-")
        """Unique in its zone."""

    @property
    def url(self) -> str:
        return f"nfs://{SERVER}/{self.path}"


class RackPlan:
    """A rack: its hosts and the pools that only it reaches."""

    __slots__ = ("hosts", "name", "path", "pod", "pools")

    def __init__(self, name: str, path: str, pod: PodPlan) -> None:
        self.name = name
        self.path = path
        self.pod = pod
        self.hosts: list[HostPlan] = []
        self.pools: list[PoolPlan] = []


class PodPlan:
    """A pod with its management network. System VMs get addresses from `start_ip` to `end_ip`."""

    __slots__ = ("name", "network", "path", "pools", "racks", "zone")

    def __init__(self, name: str, path: str, zone: ZonePlan, network: ipaddress.IPv4Network) -> None:
        self.name = name
        self.path = path
        self.zone = zone
        self.network = network
        self.racks: list[RackPlan] = []
        self.pools: list[PoolPlan] = []

    @property
    def gateway(self) -> str:
        return str(self.network[1])

    @property
    def netmask(self) -> str:
        return str(self.network.netmask)

    @property
    def start_ip(self) -> str:
        return str(self.network[-1 - _SYSTEM_ADDRESSES])

    @property
    def end_ip(self) -> str:
        return str(self.network[-2])


class StorePlan:
    """A zone's secondary storage."""

    __slots__ = ("name", "path", "spec", "zone")

    def __init__(self, spec: SecondaryStorage, path: str, zone: str) -> None:
        self.spec = spec
        self.path = path
        self.zone = zone
        self.name = path.replace("/", "-")
        """Unique in the datacenter."""

    @property
    def url(self) -> str:
        return f"nfs://{SERVER}/{self.path}"


class ZonePlan:
    """A zone: its pods and storage; `spec` is what the description says of it."""

    __slots__ = ("name", "pods", "pools", "spec", "stores")

    def __init__(self, name: str, spec: Zone) -> None:
        self.name = name
        self.spec = spec
        self.pods: list[PodPlan] = []
        self.pools: list[PoolPlan] = []
        self.stores: list[StorePlan] = []

    @property
    def path(self) -> str:
        return self.name


class Layout:
    """All of a datacenter, in the order of its description. Raises DatacenterError for two of one name."""

    def __init__(self, datacenter: Datacenter) -> None:
        self.datacenter = datacenter
        self.zones: list[ZonePlan] = []
        self._next_address = int(ipaddress.IPv4Address("10.0.0.0"))
        for name, spec in _named(datacenter.kinds(), "the datacenter"):
            self.zones.append(self._zone(name, spec))

    def pods(self) -> Iterator[PodPlan]:
        return (pod for zone in self.zones for pod in zone.pods)

    def racks(self) -> Iterator[RackPlan]:
        return (rack for pod in self.pods() for rack in pod.racks)

    def hosts(self) -> Iterator[HostPlan]:
        return (host for rack in self.racks() for host in rack.hosts)

    def pools(self) -> Iterator[PoolPlan]:
        return pools_of(self.zones)

    def stores(self) -> Iterator[StorePlan]:
        return (store for zone in self.zones for store in zone.stores)

    def _zone(self, name: str, spec: Zone) -> ZonePlan:
        zone = ZonePlan(name, spec)
        zone.pools = _pools(spec.primary_storage, name, name, None, None)
        _unique((s.name for s in spec.secondary_storage), f"secondary storage of {name}")
        zone.stores = [StorePlan(s, f"{name}/{s.name}", name) for s in spec.secondary_storage]
        for pod_name, pod_spec in _named(spec.kinds(), name):
            zone.pods.append(self._pod(pod_name, pod_spec, zone))
        return zone

    def _pod(self, name: str, spec: Pod, zone: ZonePlan) -> PodPlan:
        path = f"{zone.name}/{name}"
        racks = list(_named(spec.kinds(), path))
        size = sum(group.count for _, rack in racks for group in rack.groups())
        pod = PodPlan(name, path, zone, self._block(spec, path, size))
        pod.pools = _pools(spec.primary_storage, path, zone.name, path, None)
        first = int(pod.network[2])
        for rack_name, rack_spec in racks:
            rack = self._rack(rack_name, rack_spec, pod, first)
            first += len(rack.hosts)
            pod.racks.append(rack)
        return pod

    def _rack(self, name: str, spec: Rack, pod: PodPlan, address: int) -> RackPlan:
        path = f"{pod.path}/{name}"
        rack = RackPlan(name, path, pod)
        rack.pools = _pools(spec.primary_storage, path, pod.zone.name, pod.path, path)
        suffix = f".{name}.{pod.name}"
        for host_name, group in _named(spec.groups(), path):
            rack.hosts.append(
                HostPlan(host_name + suffix, f"{path}/{host_name}", group, _dotted(address), rack)
            )
            address += 1
        return rack

    def _block(self, spec: Pod, path: str, hosts: int) -> ipaddress.IPv4Network:
        """The pod's network: its own, or the next free power of two addresses that hold all it needs."""
        needed = hosts + 3 + _SYSTEM_ADDRESSES
        if spec.cidr is not None:
            network = ipaddress.IPv4Network(spec.cidr)
            if network.num_addresses < needed:
                raise DatacenterError(f"{path}: cidr {spec.cidr} is too small for {hosts} hosts")
            return network
        size = max(_SMALLEST_BLOCK, 1 << (needed - 1).bit_length())
        start = -(-self._next_address // size) * size
        self._next_address = start + size
        return ipaddress.IPv4Network((start, 33 - size.bit_length()))


def pools_of(zones: Iterable[Any]) -> Iterator[Any]:
    """The pools of zones, pods and racks, in the order of the description."""
    for zone in zones:
        yield from zone.pools
        for pod in zone.pods:
            yield from pod.pools
            for rack in pod.racks:
                yield from rack.pools


def _pools(
    specs: Iterable[PrimaryPool], path: str, zone: str, pod: str | None, rack: str | None
) -> list[PoolPlan]:
    specs = list(specs)
    _unique((s.name for s in specs), f"primary storage of {path}")
    return [PoolPlan(s, f"{path}/{s.name}", zone, pod, rack) for s in specs]


def _named(kinds: Iterable[Zone | Pod | Rack | Hosts], parent: str) -> Iterator[tuple[str, Any]]:
    """Each single thing of the `kinds` with its name: counted, unless the name stands for one only."""
    kinds = list(kinds)
    totals: Counter[str] = Counter()
    for kind in kinds:
        totals[kind.name] += kind.count
    seen: Counter[str] = Counter()
    names: list[tuple[str, Any]] = []
    for kind in kinds:
        for _ in range(kind.count):
            seen[kind.name] += 1
            alone = totals[kind.name] == 1 and kind.name not in _COUNTED
            names.append((kind.name if alone else f"{kind.name}-{seen[kind.name]}", kind))
    _unique((name for name, _ in names), parent)
    return iter(names)


def _unique(names: Iterable[str], parent: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DatacenterError(f"{parent}: the name {twice[0]} stands for two things")


def _dotted(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
