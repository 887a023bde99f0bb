"""The small simulated cloud with public addresses, where isolated networks have routers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.model import Host, Network, SystemVm, VirtualMachine
from tests.cloudsim.management.cloud_harness import Cloud

QUICK = {"ping.interval": "5", "ping.timeout": "2", "router.check.interval": "5"}


class RoutedCloud(Cloud):
    """`quick`: hosts and system VMs are looked at often, so that a loss is seen within seconds."""

    def __init__(self, *, quick: bool = True, racks: int = 1) -> None:
        super().__init__(racks, QUICK if quick else None)
        manager = self.manager
        wire = next(iter(self.table_named("PhysicalNetwork")))
        for traffic in ("Guest", "Management", "Public"):
            manager.physical_networks.add_traffic_type(wire, traffic)
        manager.physical_networks.providers.enable_all(wire)
        self.public = self.call(
            manager.ip_ranges.create,
            RangeRequest(
                zone=self.zone,
                start_ip="203.0.113.10",
                end_ip="203.0.113.99",
                gateway="203.0.113.1",
                netmask="255.255.255.0",
                vlan="50",
                public=True,
            ),
        )

    def deploy(self, name: str = "web", *, network: Network | None = None, start: bool = True) -> VirtualMachine:
        """As `Cloud.deploy`; it starts as a job does, which reports of hosts leave alone."""
        vm = super().deploy(name, network=network, start=False)
        return self.start(vm, first=True) if start else vm

    def start(self, vm: VirtualMachine, *, first: bool = False) -> VirtualMachine:
        started: VirtualMachine = self.do(self.starting(vm, first=first))
        return started

    def starting(self, vm: VirtualMachine, *, first: bool = False) -> Any:
        """The coroutine that starts it."""
        return self.manager.jobs.hold(vm.id, partial(self.manager.vms.start, vm.id, first=first))

    def table_named(self, name: str) -> Any:
        return self.store.tables[name]

    def network(
        self, name: str = "front", offering: str = "DefaultIsolatedNetworkOfferingWithSourceNatService", **what: Any
    ) -> Network:
        """A guest network of the admin's."""
        request = NetworkRequest(name=name, **what)
        made: Network = self.call(
            self.manager.networks.create,
            self.admin,
            self.owner,
            self.zone,
            self.network_offering(offering),
            request,
        )
        return made

    def router_of(self, network: Network) -> SystemVm:
        """The network's router; there is one."""
        found = self.manager.routers.of(self.table(Network)[network.id])
        assert found is not None
        return found

    def machine(self, row: SystemVm) -> VirtualMachine:
        found: VirtualMachine = self.table(VirtualMachine)[row.id]
        return found

    def appliance(self, row: SystemVm) -> Any:
        """What runs inside it, on its simulated host."""
        vm = self.machine(row)
        host = self.world.host(self.table(Host)[vm.host_id].guid).hypervisor
        return host.appliance(host.guests[vm.instance_name])

    def until(self, true: Callable[[], bool], within: float = 600.0, step: float = 1.0) -> float:
        """Let time pass until it is; the simulated seconds that it took."""
        began = self.world.loop.time()
        while not true():
            assert self.world.loop.time() - began < within, f"not within {within:g} simulated seconds"
            self.do(asyncio.sleep(step))
        took: float = self.world.loop.time() - began
        return took
