"""A described datacenter as a lab has it: the same names and sizes, with the URLs of real hosts and folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backends.lab.errors import LabError
from backends.simulated.datacenter import Datacenter, DatacenterError, Zone
from backends.simulated.layout import (
    HostPlan,
    Layout,
    PodPlan,
    PoolPlan,
    RackPlan,
    StorePlan,
    ZonePlan,
    pools_of,
)

MOST_HOSTS = 16
"""More than these on one machine would tell about the machine only."""


class LabPool:
    """A pool: a folder that all hosts see."""

    def __init__(self, plan: PoolPlan, primary: Path) -> None:
        self.name = plan.name
        self.path = plan.path
        self.folder = primary / plan.path

    @property
    def url(self) -> str:
        return f"SharedMountPoint://localhost{self.folder}"


class LabStore:
    """Secondary storage: a folder too."""

    def __init__(self, plan: StorePlan, secondary: Path) -> None:
        self.name = plan.name
        self.folder = secondary / plan.path

    @property
    def url(self) -> str:
        return f"file://{self.folder}"


class LabHostPlan:
    """A host of the description; `number` is the lab's."""

    def __init__(self, plan: HostPlan, number: int) -> None:
        self.name = plan.name
        self.path = plan.path
        self.group = plan.group
        self.number = number

    @property
    def url(self) -> str:
        return f"http://{self.name}"


class LabRack:
    def __init__(self, plan: RackPlan, hosts: list[LabHostPlan], primary: Path) -> None:
        self.name = plan.name
        self.path = plan.path
        self.hosts = hosts
        self.pools = [LabPool(pool, primary) for pool in plan.pools]


class LabPod:
    """Its addresses are the description's: those of system VMs."""

    def __init__(self, plan: PodPlan, racks: list[LabRack], primary: Path) -> None:
        self.name = plan.name
        self.gateway, self.netmask = plan.gateway, plan.netmask
        self.start_ip, self.end_ip = plan.start_ip, plan.end_ip
        self.racks = racks
        self.pools = [LabPool(pool, primary) for pool in plan.pools]


class LabZone:
    def __init__(self, plan: ZonePlan, pods: list[LabPod], primary: Path, secondary: Path) -> None:
        self.name = plan.name
        self.spec: Zone = plan.spec
        self.pods = pods
        self.pools = [LabPool(pool, primary) for pool in plan.pools]
        self.stores = [LabStore(store, secondary) for store in plan.stores]


class LabLayout:
    """All of it. Raises DatacenterError for what cannot be had on one machine."""

    def __init__(self, datacenter: Datacenter, primary: Path, secondary: Path) -> None:
        layout = Layout(datacenter)
        _check(layout)
        number = 0
        self.zones: list[LabZone] = []
        for zone in layout.zones:
            pods = []
            for pod in zone.pods:
                racks = []
                for rack in pod.racks:
                    hosts = [LabHostPlan(host, number + i) for i, host in enumerate(rack.hosts, 1)]
                    number += len(hosts)
                    racks.append(LabRack(rack, hosts, primary))
                pods.append(LabPod(pod, racks, primary))
            self.zones.append(LabZone(zone, pods, primary, secondary))

    def racks(self) -> Iterator[LabRack]:
        return (rack for zone in self.zones for pod in zone.pods for rack in pod.racks)

    def hosts(self) -> Iterator[LabHostPlan]:
        return (host for rack in self.racks() for host in rack.hosts)

    def pools(self) -> Iterator[LabPool]:
        return pools_of(self.zones)

    def make_folders(self) -> None:
        """What the hosts are to find. Raises LabError."""
        folders = [store.folder for zone in self.zones for store in zone.stores]
        folders += [pool.folder for pool in self.pools()]
        for folder in folders:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LabError(f"cannot make {folder}: {error.strerror}") from error


def _check(layout: Layout) -> None:
    hosts = list(layout.hosts())
    if len(hosts) > MOST_HOSTS:
        raise DatacenterError(f"a lab has at most {MOST_HOSTS} hosts, the datacenter has {len(hosts)}")
    for zone in layout.zones:
        if zone.spec.network_type != "Advanced" or zone.spec.isolation != "VXLAN":
            raise DatacenterError(f"{zone.name}: in a lab, zones are Advanced and have isolation: VXLAN")
    for host in hosts:
        if host.group.gpus:
            raise DatacenterError(f"{host.path}: a lab's hosts have no GPUs")
