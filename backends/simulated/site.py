"""What the hosts of a simulated world share: its network, storage and chance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from backends.simulated.datacenter import GBIT, GIB, Edge, PrimaryPool, SecondaryStorage
from backends.simulated.flows import Channel, Flows
from backends.simulated.latency import LatencyProfile, Sampler
from backends.simulated.layout import SERVER, Layout, PoolPlan
from backends.simulated.storage import ImageStore, Pool
from backends.simulated.topology import Place, Topology
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import PoolSpec
from cloudsim.randomness import Randomness
from cloudsim.work import WorkListener

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine
    from backends.simulated.systemvms.consoleproxy import SimulatedConsoleProxy

LOCAL_TYPES = frozenset({"Filesystem", "LVM"})
"""The types of pool that lie on a host's own disk."""

Utilisation = Callable[[str, float], float]
"""(instance id, simulated seconds) -> the share of its vCPUs that it uses then, 0 to 1."""


class _Nobody:
    def work_began(self, vm_id: str, tasks: Sequence[int], time: float) -> None: ...

    def task_finished(self, vm_id: str, task: int, time: float) -> None: ...


class Site:
    """Network, pools, image stores and machines by name. A pool or store that the description does not
    have is made when first mounted or used, with the sizes of CloudStack's simulator (pools of 1 TiB)."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        layout: Layout,
        profile: LatencyProfile,
        randomness: Randomness,
        utilisation: Utilisation | None = None,
        epoch: float = 0.0,
    ) -> None:
        self.loop = loop
        self.epoch = epoch
        """Unix time of the loop's zero."""
        self.fabric = layout.datacenter.fabric
        self.profile = profile
        self.sampler = Sampler(profile, randomness.branch("latency"))
        self.flows = Flows(loop, timed=profile.transfers)
        self.topology = Topology(self.flows)
        self.utilisation = utilisation
        self.on_guests: Callable[[Machine], None] = lambda machine: None
        """Hears of each change in what runs on a machine, as it happens."""
        self.work_listener: WorkListener = _Nobody()
        self.console_proxies: dict[str, SimulatedConsoleProxy] = {}
        """Those that run, by their instances' names."""
        self.internet = Channel("internet", self.fabric.internet.gbps * GBIT)
        self.machines: dict[str, Machine] = {}
        """By address."""
        self.hosts_of: dict[str, list[Machine]] = {}
        """Where an instance is, by its name: on two hosts while it moves."""
        self.pools: dict[str, Pool] = {}
        """By path of the description, or by id where it is not of the description."""
        self.pool_ids: dict[str, Pool] = {}
        self.stores: dict[str, ImageStore] = {}
        """By URL."""
        self._build(layout)

    def unix(self) -> float:
        """The simulated time in Unix seconds."""
        return self.epoch + self.loop.time()

    def _build(self, layout: Layout) -> None:
        add, fabric = self.topology.add, self.fabric
        for zone in layout.zones:
            core = add(zone.path, "zone", self.topology.root, fabric.core)
            for pod in zone.pods:
                spine = add(pod.path, "pod", core, fabric.spine)
                for rack in pod.racks:
                    add(rack.path, "rack", spine, fabric.rack)
            for store in zone.stores:
                self._add_store(store.url, store.path, store.spec, core)
        for plan in layout.pools():
            self._plan_pool(plan)
        first = self.topology[layout.zones[0].path] if layout.zones else self.topology.root
        self.manager = add("management", "management", first, fabric.management)
        """Where the management server stands: at the core of the first zone that is described, else between all zones."""

    def _plan_pool(self, plan: PoolPlan) -> None:
        parent = self.topology[plan.rack or plan.pod or plan.zone]
        place = self.topology.add(plan.path, "pool", parent, self.fabric.storage)
        self.pools[plan.path] = _pool(plan.path, place, plan.spec)

    def _add_store(self, url: str, name: str, spec: SecondaryStorage, core: Place) -> ImageStore:
        place = self.topology.add(name, "secondary", core, self.fabric.storage)
        store = ImageStore(
            url, place, capacity=int(spec.capacity_gib * GIB), bandwidth=spec.gbps * GBIT
        )
        self.stores[url] = store
        return store

    def forget(self, instance: str, machine: Machine) -> None:
        """The instance is not on that machine any more."""
        hosts = self.hosts_of[instance]
        hosts.remove(machine)
        if not hosts:
            del self.hosts_of[instance]

    def running(self, instance: str) -> Guest | None:
        """The instance of that name, if it runs somewhere."""
        for machine in self.hosts_of.get(instance, ()):
            if machine.guests[instance].state == "running":
                return machine.guests[instance]
        return None

    def place(self, name: str, kind: str, parent: Place, edge: Edge) -> Place:
        """The place of that name, made if there is none."""
        return self.topology.get(name) or self.topology.add(name, kind, parent, edge)

    def store(self, url: str, near: Place) -> ImageStore:
        """The image store at that URL, however it is mounted; one that is new stands at the core of the zone of `near`."""
        url = url.partition("?")[0]
        store = self.stores.get(url)
        if store is None:
            core = near
            while core.depth > 1 and core.parent is not None:
                core = core.parent
            store = self._add_store(url, url, SecondaryStorage(), core)
        return store

    def kept_at(self, url: str) -> tuple[ImageStore, str] | None:
        """The image store and the path in it of the file at that URL; None where no store has it."""
        for store in self.stores.values():
            path = url.removeprefix(f"{store.url.rstrip('/')}/")
            if path != url and path in store.files:
                return store, path
        return None

    def mount(self, spec: PoolSpec, machine: Machine) -> Pool:
        """The pool that a host means by `spec`. Raises HypervisorError for one that it cannot reach."""
        pool = self.pool_ids.get(spec.id)
        if pool is None:
            pool = self._meant(spec, machine)
            pool.ids.add(spec.id)
            self.pool_ids[spec.id] = pool
        if pool.place.kind == "host" and pool.place is not machine.place:
            raise HypervisorError(f"pool {spec.id} is on the disk of {pool.place.name}, not of {machine.name}")
        if not self.topology.reachable(machine.place, pool.place):
            raise HypervisorError(f"{machine.name} cannot reach pool {spec.id} at {spec.host}:{spec.path}")
        return pool

    def _meant(self, spec: PoolSpec, machine: Machine) -> Pool:
        if spec.type in LOCAL_TYPES:
            return machine.local_pool(spec.path)
        path = spec.path.strip("/")
        if spec.host == SERVER:
            if path not in self.pools:
                raise HypervisorError(f"the datacenter has no primary storage {path}")
            return self.pools[path]
        name = f"{spec.host}/{path}"
        if name not in self.pools:
            rack = machine.place.parent or machine.place
            place = self.topology.add(f"pool {name}", "pool", rack, self.fabric.storage)
            self.pools[name] = _pool(name, place, PrimaryPool(capacity_gib=1024))
        return self.pools[name]


def _pool(name: str, place: Place, spec: PrimaryPool) -> Pool:
    return Pool(
        name,
        place,
        capacity=int(spec.capacity_gib * GIB),
        iops=spec.iops,
        bandwidth=spec.gbps * GBIT,
        written_share=spec.written_share,
    )
