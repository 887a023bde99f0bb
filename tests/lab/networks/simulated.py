"""The matrix's world on simulated hosts: the oracle answers, from what is in force on them."""

from __future__ import annotations

from typing import Any

from cloudsim.model import Host, ServiceOffering, VirtualMachine
from cloudsim.systemvm.reachability import Picture
from server.api.dispatch import Dispatcher
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud
from tests.lab.networks.matrix import OUTSIDE
from tests.server.api.commands.cloud_api import CloudApi

THERE, THERE6 = "203.0.113.1", "2001:db8:ffff::7"
"""The gateway of the public network stands for all that is beyond it."""


class SimulatedWorld(CloudApi):
    """Implements `matrix.World`."""

    def __init__(self) -> None:
        self.cloud: RoutedCloud = RoutedCloud(racks=1)
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")

    def close(self) -> None:
        self.cloud.close()

    @property
    def picture(self) -> Picture:
        found: Picture = self.cloud.world.reachability()
        return found

    def zone_id(self) -> str:
        return self.zone

    def pause(self) -> None:
        self.cloud.wait(5)

    def spare_vlan(self) -> str:
        return "1234"

    def outside_ip(self) -> str:
        return THERE

    def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.admin(command, **parameters)
        return answer

    def deploy(self, name: str, networks: list[str], host: int, **more: Any) -> dict[str, Any]:
        hosts = [row.id for row in self.store.table(Host)]
        made: dict[str, Any] = self.admin(
            "deployVirtualMachine",
            name=name,
            zoneid=self.zone,
            templateid=self.cloud.template.id,
            serviceofferingid=self.cloud.named(ServiceOffering, "Small Instance").id,
            networkids=networks,
            hostid=hosts[host],
            **more,
        )["virtualmachine"]
        return made

    def _vm(self, name: str) -> VirtualMachine:
        return next(vm for vm in self.store.table(VirtualMachine) if vm.name == name)

    def reaches(self, source: str, destination: str, protocol: str, port: int, expected: bool) -> bool:
        outside = THERE6 if ":" in destination else "198.51.100.7"
        sender = outside if source == OUTSIDE else self._vm(source).instance_name
        return bool(self.picture.can_reach(sender, destination, protocol, port))

    def address_of(self, instance: str) -> str | None:
        nic = self.manager.nics.of(self._vm(instance))[0]
        lease = self.picture.lease(nic.mac)
        return lease.ip if lease is not None else None

    def ip6_of(self, instance: str) -> str | None:
        vm = self._guest(instance).spec
        found: str | None = vm.nics[0].ip6
        return found

    def public_ipv6(self) -> dict[str, Any]:
        return {"ip6gateway": "2001:db8:0:1::1", "ip6cidr": "2001:db8:0:1::/64", "vlan": "50"}

    def add_route(self, subnet: str, gateway: str) -> None:
        """The oracle's outside knows all ways."""

    def resolves(self, instance: str, name: str) -> str | None:
        found = self.picture.resolve(name, self._vm(instance).instance_name)
        return found[0] if found else None

    def metadata(self, instance: str, path: str) -> str | None:
        found = self.picture.metadata(path, self._vm(instance).instance_name)
        return found.decode() if found is not None else None

    def password(self, instance: str) -> str | None:
        return self._guest(instance).spec.password

    def answering(self, destination: str, port: int) -> set[str]:
        reach = self.picture.can_reach("198.51.100.7", destination, "tcp", port)
        names = {vm.instance_name: vm.name for vm in self.store.table(VirtualMachine)}
        return {names[end.name] for end in reach.ends}

    def kill(self, instance: str) -> None:
        guest = self._guest(instance)
        self._machine(instance).drop(guest)

    def _machine(self, instance: str) -> Any:
        host = self.store.table(Host)[self._vm(instance).host_id]
        return self.cloud.world.host(host.guid).hypervisor

    def _guest(self, instance: str) -> Any:
        return self._machine(instance).guests[self._vm(instance).instance_name]
