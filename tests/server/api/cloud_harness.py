"""A simulated cloud of two racks of two hosts behind its API, and what its hosts and pools really hold."""

from __future__ import annotations

from typing import Any

import msgspec

from backends.simulated.datacenter import Hosts
from cloudsim.model import Host, ServiceOffering
from server.api.dispatch import Dispatcher
from tests.cloudsim.management.cloud_harness import Cloud
from tests.server.api.api_harness import Client
from tests.server.api.commands.cloud_api import CloudApi

Vm = dict[str, Any]


class TwoRacks(CloudApi):
    """Four hosts of 8 cores and 16 GiB, or of another kind, each rack with a pool of its own."""

    def __init__(self, host: Hosts | None = None) -> None:
        self.cloud = Cloud(racks=2, host=host)
        self.world = self.cloud.world
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")

    # asking

    def offering(self, name: str = "Small Instance") -> str:
        found: str = self.cloud.named(ServiceOffering, name).id
        return found

    def most_of_a_host(self) -> str:
        """An offering of which one instance fits on a host."""
        made = self.admin(
            "createServiceOffering",
            name="most of a host",
            displaytext="most of a host",
            cpunumber=6,
            cpuspeed=2000,
            memory=1024,
        )
        found: str = made["serviceoffering"]["id"]
        return found

    def wanted(self, **more: Any) -> dict[str, Any]:
        """The parameters of a deployment."""
        asked = {
            "zoneid": self.zone,
            "templateid": self.cloud.template.id,
            "serviceofferingid": self.offering(),
        }
        return {name: value for name, value in {**asked, **more}.items() if value is not None}

    def deploy(self, name: str | None = None, call: Client | None = None, **more: Any) -> Vm:
        made: Vm = (call or self.admin)("deployVirtualMachine", **self.wanted(name=name, **more))[
            "virtualmachine"
        ]
        return made

    def domain_account(self, name: str, *, type: int = 0, domain: str | None = None) -> Client:
        """A user (0) or domain admin (2) of a domain."""
        self.admin(
            "createAccount",
            username=name,
            password="secret",
            email=f"{name}@example.org",
            firstname=name,
            lastname="Example",
            accounttype=type,
            **({"domainid": domain} if domain else {}),
        )
        return self.client(name)

    def vm(self, vm_id: str, call: Client | None = None) -> Vm:
        """The instance as listVirtualMachines tells it."""
        (found,) = (call or self.admin)("listVirtualMachines", id=vm_id)["virtualmachine"]
        return dict(found)

    def state(self, vm_id: str) -> str:
        return str(self.vm(vm_id)["state"])

    def events(self, vm_id: str) -> list[str]:
        """Types of the events of an instance, oldest first."""
        rows = self.admin("listEvents", resourceid=vm_id, resourcetype="VirtualMachine", listall=True)
        return [event["type"] for event in reversed(rows.get("event", []))]

    # looking

    def running(self) -> dict[str, str]:
        """Instance name -> host name, of all that run on the simulated hosts."""
        return {
            report.name: host.name
            for host in self.world.hosts.values()
            for report in host.hypervisor.inventory()
        }

    def guest(self, vm: Vm) -> Any:
        """What the host knows of a running instance: its VmSpec."""
        return self.world.host(vm["hostname"]).hypervisor.guests[vm["instancename"]].spec

    def files(self) -> set[str]:
        """Paths of everything on the primary pools."""
        return {path for plan in self.world.layout.pools() for path in self.world.pool(plan.path).contents}

    def host(self, name: str) -> Any:
        """The row of a host."""
        return next(row for row in self.store.table(Host) if row.name == name)

    def rows(self) -> dict[str, Any]:
        """Every row of the store."""
        return {name: msgspec.to_builtins(list(table)) for name, table in self.store.tables.items()}
