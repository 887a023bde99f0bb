"""A simulated cloud whose zone has public addresses, and so a secondary storage VM; and what its parts hold."""

from __future__ import annotations

from typing import Any

from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.management.server import ManagementServer
from cloudsim.management.storage.template_request import TemplateRequest
from cloudsim.model import (
    Account,
    PhysicalNetwork,
    SystemVm,
    Template,
    TemplateOnStore,
    Transfer,
    VirtualMachine,
)
from cloudsim.randomness import Randomness
from tests.cloudsim.management.cloud_harness import Cloud

GIB = 1 << 30
MIB = 1 << 20


class StorageVmCloud(Cloud):
    """`Cloud` after `found`: its zone has a secondary storage VM that answers."""

    def found(self) -> None:
        """Give the zone public addresses, and let time pass until its storage VM is up."""
        self.manager.settings.set("secstorage.allowed.internal.sites", "")
        self.call(self._public_range)
        for _ in range(60):
            if self.up():
                return
            self.wait(10)
        raise AssertionError("no secondary storage VM came up")

    def _public_range(self) -> None:
        wire = next(iter(self.table(PhysicalNetwork)))
        networks = self.manager.physical_networks
        for traffic in ("Public", "Management"):
            networks.add_traffic_type(wire, traffic)
        self.manager.ip_ranges.create(
            RangeRequest(
                zone=self.zone,
                gateway="198.51.100.1",
                netmask="255.255.255.0",
                start_ip="198.51.100.10",
                end_ip="198.51.100.40",
            )
        )

    def up(self) -> list[SystemVm]:
        found: list[SystemVm] = self.manager.secondary_storage_vms.up(self.zone.id)
        return found

    def host_of(self, vm: SystemVm) -> str:
        """The guid of the host that it runs on."""
        machine = self.table(VirtualMachine)[vm.id]
        return str(self.store.tables["Host"][machine.host_id].guid)

    def appliance(self, vm: SystemVm) -> Any:
        """The software inside it."""
        hypervisor = self.world.host(self.host_of(vm)).hypervisor
        return hypervisor.appliance(hypervisor.guests[self.table(VirtualMachine)[vm.id].instance_name])

    def register(self, url: str, name: str = "debian", **fields: Any) -> Template:
        request = TemplateRequest(name=name, **{"format": "QCOW2", "hypervisor": "Simulator", **fields})
        template: Template = self.call(
            self.manager.templates.register, self.admin, self.owner, request, url, [self.zone]
        )
        return template

    def copy(self, template: Template) -> TemplateOnStore:
        (found,) = self.table(TemplateOnStore).where("template_id", template.id)
        return found

    def transfers(self) -> list[Transfer]:
        return list(self.table(Transfer))

    @property
    def image_store(self) -> Any:
        """The simulated server behind the zone's image store."""
        return next(iter(self.world.site.stores.values()))

    def restart(self, after: float = 1.0) -> None:
        """The manager ends, and another one takes over what is in the store after so many seconds."""
        self.do(self.manager.stop())
        self.wait(after)
        self.store.unsubscribe_all()
        self.manager = ManagementServer(self.store, self.world, Randomness(self.world.loop.time().__trunc__() + 7))
        self.call(self.manager.start)
        self.admin = Caller(self.table(Account)[self.admin.account.id])

    def until(self, state: str, template: Template, seconds: float = 36_000.0) -> float:
        """Let time pass until the copy has that state; how many seconds that took."""
        began = self.world.loop.time()
        while self.copy(template).state != state:
            assert self.world.loop.time() - began < seconds, self.copy(template)
            self.wait(5)
        return self.world.loop.time() - began
