"""How long a system VM is out, in simulated seconds: its process dies, or its host loses power.

For a router: until one that knows all it should serves the network again; for a console proxy and a secondary storage VM: until
one is up and answers. A host's end is noticed by its silence, so that depends on ping.interval. On real hosts the same is
measured by tests/lab/networks/test_networks_in_two_worlds.py and tests/lab/test_console_in_a_browser.py, which print it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from backends.simulated.datacenter import Datacenter, Hosts, Pod, PublicRange, Rack, Zone
from backends.simulated.world import SimulatedWorld
from cloudsim.management import first_state
from cloudsim.management.building import build_zone
from cloudsim.management.compute.deploy_request import DeployRequest
from cloudsim.management.identity.caller import Caller
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES, Account, Host, ServiceOffering, SystemVm, Template, VirtualMachine
from cloudsim.model.systemvm import SystemVmKind
from cloudsim.randomness import Randomness
from cloudsim.store import Store

SEEDS = 5
LONGEST = 1800.0
KINDS: dict[SystemVmKind, str] = {
    "DomainRouter": "router",
    "ConsoleProxy": "console proxy",
    "SecondaryStorageVm": "secondary storage VM",
}
PUBLIC = PublicRange(
    start_ip="203.0.113.10", end_ip="203.0.113.200", netmask="255.255.255.0", gateway="203.0.113.1", vlan="50"
)


class _Cloud:
    """Four hosts, one network with an instance, and the system VMs that go with them."""

    def __init__(self, seed: int, ping: int) -> None:
        hosts = Hosts(count=4, cores=8, memory_gib=16)
        zone = Zone(public=PUBLIC, pods=(Pod(racks=(Rack(hosts=(hosts,)),)),))
        self.world = SimulatedWorld(Datacenter(zones=(zone,)), seed=seed)
        self.store = Store(ROW_TYPES)
        self.manager = ManagementServer(self.store, self.world, Randomness(seed))
        parts = (self.manager.foundation, self.manager.identity, self.manager.offerings, self.manager.guest_os)
        first_state.seed(*parts, settings={"ping.interval": str(ping), "ping.timeout": "2"})
        self.rows, self.vms = self.store.table(SystemVm), self.store.table(VirtualMachine)
        self.world.loop.run_until_complete(self._begin())

    async def _begin(self) -> None:
        self.manager.start()
        zone = await build_zone(self.manager, self.world.layout.zones[0])
        admin = next(account for account in self.store.table(Account) if account.name == "admin")
        wanted = DeployRequest(
            zone_id=zone.id,
            template_id=self._named(Template, first_state.BUILTIN_TEMPLATE),
            service_offering_id=self._named(ServiceOffering, "Small Instance"),
            owner=admin,
        )
        _, job = self.manager.vms.deploy(Caller(admin), wanted)
        await self.manager.jobs.wait(job.id)
        for _ in range(int(LONGEST)):
            if all(self.at_work(kind) for kind in KINDS):
                return
            await asyncio.sleep(1)
        raise AssertionError(f"the system VMs were not up within {LONGEST:g} s")

    def _named(self, row_type: Any, name: str) -> str:
        found: str = next(row.id for row in self.store.table(row_type) if row.name == name)
        return found

    def at_work(self, kind: SystemVmKind) -> bool:
        """Whether one of the kind really runs, and where it is a router knows what to do."""
        for row in self.rows:
            vm = self.vms[row.id]
            if row.kind != kind or vm.state != "Running" or row.agent_state != "Up":
                continue
            host = self.store.table(Host)[vm.host_id or ""]
            machine = self.world.host(host.guid).hypervisor
            guest = machine.guests.get(vm.instance_name)
            if guest is None or guest.state != "running" or not machine.powered:
                continue
            if kind != "DomainRouter" or getattr(machine.appliance(guest), "configuration", None) is not None:
                return True
        return False

    def place(self, kind: SystemVmKind) -> tuple[str, str]:
        """The guid of the host of the one there is, and its name there."""
        row = next(row for row in self.rows if row.kind == kind)
        vm = self.vms[row.id]
        return self.store.table(Host)[vm.host_id or ""].guid, vm.instance_name

    def outage(self, kind: SystemVmKind, harm: Callable[[str, str], object]) -> float:
        """Simulated seconds from the harm until one of the kind is at work again."""
        harm(*self.place(kind))
        began = self.world.loop.time()

        async def until_back() -> float:
            for _ in range(int(2 * LONGEST)):
                if self.at_work(kind):
                    return self.world.loop.time() - began
                await asyncio.sleep(0.5)
            raise AssertionError(f"no {KINDS[kind]} within {LONGEST:g} s")

        return self.world.loop.run_until_complete(until_back())

    def kill(self, guid: str, name: str) -> None:
        machine = self.world.host(guid).hypervisor
        machine.drop(machine.guests[name])

    def crash(self, guid: str, name: str) -> None:
        self.world.crash_host(guid)

    def close(self) -> None:
        self.world.loop.run_until_complete(self.manager.stop())
        self.world.close()


def figures() -> dict[str, dict[str, Any]]:
    """The mean of SEEDS clouds for each kind and harm."""
    found: dict[str, dict[str, Any]] = {}
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # agents of crashed hosts are left waiting for ever
    for kind, called in KINDS.items():
        for harm, ping in (("process killed", 60), ("host crashed", 60), ("host crashed", 10)):
            times = []
            for seed in range(SEEDS):
                cloud = _Cloud(seed, ping)
                times.append(cloud.outage(kind, cloud.kill if harm == "process killed" else cloud.crash))
                cloud.close()
            name = f"recovery: {called}, {harm}, ping.interval {ping}"
            found[name] = {"value": sum(times) / SEEDS, "unit": "simulated s"}
    return found
