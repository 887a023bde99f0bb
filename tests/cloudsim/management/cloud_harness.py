"""A small simulated cloud with every service of storage, templates and networks, for tests to work on directly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from backends.simulated.datacenter import Hosts as HostKind
from backends.simulated.datacenter import PrimaryPool, uniform
from backends.simulated.world import SimulatedWorld
from cloudsim.management import first_state
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import ADMIN
from cloudsim.management.server import ManagementServer
from cloudsim.model import (
    ROW_TYPES,
    Account,
    DiskOffering,
    Network,
    NetworkOffering,
    ServiceOffering,
    Template,
    VirtualMachine,
    Volume,
)
from cloudsim.randomness import Randomness
from cloudsim.store import Store

GIB = 1 << 30


class Cloud:
    """One zone of one rack (two with `racks`) of two hosts and one pool each."""

    def __init__(
        self, racks: int = 1, settings: Mapping[str, str] | None = None, host: HostKind | None = None
    ) -> None:
        self.world = SimulatedWorld(
            uniform(
                racks=racks,
                hosts_per_rack=2,
                host=host or HostKind(memory_gib=16, cores=8),
                pool=PrimaryPool(capacity_gib=500),
            ),
            seed=3,
        )
        self.store = Store(ROW_TYPES)
        self.manager: Any = ManagementServer(self.store, self.world, Randomness(5))
        self.manager.identity.users.passwords.log_cost = 4
        first_state.seed(
            self.manager.foundation,
            self.manager.identity,
            self.manager.offerings,
            self.manager.guest_os,
            settings=settings or {},
        )
        account = next(a for a in self.store.table(Account) if a.name == ADMIN)
        self.admin = Caller(account)
        self.do(self._set_up())

    @property
    def owner(self) -> Account:
        return self.admin.account

    async def _set_up(self) -> None:
        manager: Any = self.manager
        manager.start()
        plan = self.world.layout.zones[0]
        self.zone = zone = manager.zones.create(
            name=plan.name,
            network_type="Advanced",
            dns1="8.8.8.8",
            internal_dns1="8.8.4.4",
            guest_cidr="10.1.1.0/24",
            allocation_state="Enabled",
        )
        for pod_plan in plan.pods:
            pod = manager.pods.create(
                zone,
                name=pod_plan.name,
                gateway=pod_plan.gateway,
                netmask=pod_plan.netmask,
                start_ip=pod_plan.start_ip,
                end_ip=pod_plan.end_ip,
            )
            for rack in pod_plan.racks:
                cluster = manager.clusters.create(zone, pod, name=rack.name, hypervisor="Simulator")
                for host in rack.hosts:
                    await manager.hosts.add(zone, pod, cluster, url=host.url)
                for pool in rack.pools:
                    storage = manager.primary_storage
                    wanted = storage.check_new(
                        zone, pod, cluster, name=pool.name, url=pool.url, scope="CLUSTER"
                    )
                    await storage.create(wanted)
        for store in plan.stores:
            manager.image_stores.add(url=store.url, provider="NFS", zone=zone, name=store.name)
        physical = manager.physical_networks.create(zone, name="wire", vlan="100-109")
        manager.physical_networks.providers.enable_all(physical)
        manager.physical_networks.update(physical, state="Enabled")

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.world.loop.run_until_complete(work)

    def call(self, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """Call on the loop what begins background work."""

        async def calling() -> Any:
            return function(*arguments, **more)

        return self.do(calling())

    def wait(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    def table(self, row_type: type) -> Any:
        return self.store.table(row_type)

    def named(self, row_type: type, name: str) -> Any:
        return next(row for row in self.store.table(row_type) if row.name == name)

    @property
    def template(self) -> Template:
        found: Template = self.named(Template, first_state.BUILTIN_TEMPLATE)
        return found

    @property
    def custom(self) -> DiskOffering:
        found: DiskOffering = self.named(DiskOffering, "Custom")
        return found

    def network_offering(
        self, name: str = "DefaultIsolatedNetworkOfferingWithSourceNatService"
    ) -> NetworkOffering:
        found: NetworkOffering = self.named(NetworkOffering, name)
        return found

    def deploy(
        self, name: str = "web", *, network: Network | None = None, start: bool = True
    ) -> VirtualMachine:
        """A running instance of Small Instance and the built-in template."""
        request = DeployRequest(
            zone_id=self.zone.id,
            template_id=self.template.id,
            service_offering_id=self.named(ServiceOffering, "Small Instance").id,
            owner=self.owner,
            name=name,
            nics=() if network is None else (NicRequest(network.id),),
        )
        vm: VirtualMachine = self.manager.vms.allocate(self.admin, request)
        if start:
            vm = self.do(self.manager.vms.start(vm.id, first=True))
        return vm

    def stop(self, vm: VirtualMachine) -> VirtualMachine:
        stopped: VirtualMachine = self.do(self.manager.vms.stopped(self.admin, vm.id))
        return stopped

    def root(self, vm: VirtualMachine) -> Volume:
        found: Volume = self.manager.disks.of(vm)[0]
        return found

    def volume(self, name: str = "data", size: int = 2) -> Volume:
        """An Allocated data disk."""
        made: Volume = self.manager.volumes.allocate(
            self.owner, name, zone=self.zone, offering=self.custom, size_gib=size
        )
        return made

    def close(self) -> None:
        self.do(self.manager.stop())
