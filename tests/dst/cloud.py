"""A small simulated datacenter under one management server that can crash, and what is true in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from backends.simulated.datacenter import Hosts as HostKind
from backends.simulated.datacenter import PrimaryPool, uniform
from backends.simulated.world import SimulatedWorld
from cloudsim.errors import CloudError
from cloudsim.invariants import Inventory, Scene, Violation, Watch
from cloudsim.management import first_state
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import ADMIN
from cloudsim.management.server import ManagementServer
from cloudsim.model import (
    ROW_TYPES,
    Account,
    DiskOffering,
    Host,
    HostHa,
    ServiceOffering,
    Template,
    TemplateOnStore,
    Zone,
)
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from tests.dst.journal import MemoryJournal

SETTINGS = {
    "ping.interval": "60",
    "wait": "600",
    "agent.command.resend": "30",
    "expunge.delay": "900",
    "expunge.interval": "300",
    "storage.cleanup.interval": "600",
    "job.expire.minutes": "120",
    "event.purge.delay": "1",
}

WATCHING = {
    "kvm.ha.activity.check.interval": "20",
    "kvm.ha.activity.check.max.attempts": "2",
    "kvm.ha.degraded.max.period": "120",
    "kvm.ha.recover.wait.period": "240",
    "outofbandmanagement.sync.interval": "600000",
}
"""Settings with which a host is fenced minutes after it broke."""


class DstCloud:
    """One zone of a pod with `racks` of `hosts` each. `violations` collects what is seen from outside as it happens."""

    def __init__(self, seed: int, racks: int, hosts: int, watched: bool = False) -> None:
        self.watched = watched
        self.taken_back = 0
        """How many fenced hosts an operator took back into service."""
        self.world = SimulatedWorld(
            uniform(
                racks=racks,
                hosts_per_rack=hosts,
                host=HostKind(cores=4, mhz=2000, memory_gib=4, memory_overcommit=1),
                pool=PrimaryPool(capacity_gib=100),
            ),
            seed=seed,
        )
        self.loop = self.world.loop
        self.randomness = Randomness(seed)
        self.violations: list[Violation] = []
        self.restarts = 0
        self.up = False
        self._where: dict[str, str] = {}
        self._names: dict[str, frozenset[str]] = {}
        self.world.site.on_guests = self._guests_changed
        self.journal = MemoryJournal(self.loop)
        self._new_server()

    def _new_server(self) -> None:
        self.store = Store(ROW_TYPES, self.journal)
        self.store.load(self.journal.rows.values())
        self.watch = Watch(self.store, self.violations.append)
        branch = self.randomness.branch(f"manager {self.restarts}")
        self.server = ManagementServer(self.store, self.world, branch)
        self.server.identity.users.passwords.log_cost = 4

    async def set_up(self) -> None:
        server = self.server
        first_state.seed(
            server.foundation,
            server.identity,
            server.offerings,
            server.guest_os,
            settings=SETTINGS,
        )
        server.start()
        self.up = True
        plan = self.world.layout.zones[0]
        zone = server.zones.create(
            name=plan.name,
            network_type="Advanced",
            dns1="8.8.8.8",
            internal_dns1="8.8.4.4",
            guest_cidr="10.1.0.0/22",
            allocation_state="Enabled",
            security_groups=True,
        )
        for pod_plan in plan.pods:
            pod = server.pods.create(
                zone,
                name=pod_plan.name,
                gateway=pod_plan.gateway,
                netmask=pod_plan.netmask,
                start_ip=pod_plan.start_ip,
                end_ip=pod_plan.end_ip,
            )
            for rack in pod_plan.racks:
                cluster = server.clusters.create(zone, pod, name=rack.name, hypervisor="Simulator")
                for host in rack.hosts:
                    await server.hosts.add(zone, pod, cluster, url=host.url)
                for pool in rack.pools:
                    wanted = server.primary_storage.check_new(
                        zone, pod, cluster, name=pool.name, url=pool.url, scope="CLUSTER"
                    )
                    await server.primary_storage.create(wanted)
        for store in plan.stores:
            server.image_stores.add(url=store.url, provider="NFS", zone=zone, name=store.name)
        await asyncio.sleep(600)
        assert all(copy.state == "Ready" for copy in self.store.table(TemplateOnStore))
        self.zone_id = zone.id
        if self.watched:
            self._watch_hosts()

    def _watch_hosts(self) -> None:
        server = self.server
        for name, value in WATCHING.items():
            server.settings.set(name, value)
        with self.store.transaction():
            for offering in self.store.table(ServiceOffering):
                if not offering.is_system:
                    self.store.table(ServiceOffering).update(offering.id, offer_ha=True)
        for host in list(self.store.table(Host)):
            server.out_of_band.configure(
                host, driver="ipmitool", address=host.private_ip, port="623", username="admin", password="secret"
            )
            server.out_of_band.switch_host(host, True)
            server.host_ha.configure(host, "SimulatorHAProvider")
            server.host_ha.switch_host(host, True)

    async def take_back(self) -> None:
        """What an operator does: switch fenced hosts on, and put those that came back into service."""
        for row in list(self.store.table(HostHa)) if self.up else ():
            host = self.store.table(Host)[row.host_id]
            if row.state == "Fenced" and host.state == "Down":
                with contextlib.suppress(CloudError):
                    await self.server.out_of_band.act(host, "ON")
            elif row.state == "Ineligible" and host.state == "Up" and host.resource_state == "Maintenance":
                self.server.hosts.leave_maintenance(host)
                self.taken_back += 1

    # what is there to work with

    @property
    def caller(self) -> Caller:
        return Caller(next(a for a in self.store.table(Account) if a.name == ADMIN))

    @property
    def zone(self) -> Zone:
        return self.store.table(Zone)[self.zone_id]

    @property
    def template(self) -> Template:
        return next(t for t in self.store.table(Template) if t.name == first_state.BUILTIN_TEMPLATE)

    def service_offering(self, number: int) -> ServiceOffering:
        return [o for o in self.store.table(ServiceOffering) if not o.is_system][number % 2]

    def disk_offering(self) -> DiskOffering:
        return next(o for o in self.store.table(DiskOffering) if o.customized)

    # the manager's deaths

    async def restart(self, away: float) -> None:
        """The manager dies and another one takes over: every other time without warning."""
        if not self.up:
            return
        self.up = False
        self.restarts += 1
        if self.restarts % 2:
            self.journal.die()
            self.world.detach()
            await self.server.stop()
        else:
            await self.server.stop()
            await self.store.durable()
            self.journal.die()
            self.world.detach()
        if away:
            await asyncio.sleep(away)
        self.journal = MemoryJournal(self.loop, self.journal)
        self._new_server()
        self.on_new_server()
        self.server.start()
        self.up = True

    def on_new_server(self) -> None:
        """Set by who wants to follow the new store."""

    # the truth

    def inventory(self) -> Inventory:
        instances = {}
        for host in self.store.table(Host):
            machine = self.world.hosts[host.guid].hypervisor
            instances[host.id] = _names(machine)
        files = {pool_id: frozenset(p.contents) for pool_id, p in self.world.site.pool_ids.items()}
        rules = {
            nic.id: nic.rules
            for machine in self.world.hosts.values()
            for guest in machine.hypervisor.guests.values()
            if guest.state != "incoming"
            for nic in guest.nics
        }
        return Inventory(instances, files, rules)

    def scene(self) -> Scene:
        return Scene(self.store, self.server, self.inventory())

    def _guests_changed(self, machine: object) -> None:
        """At every instant at which an instance starts or stops somewhere: it runs nowhere else."""
        name = machine.name  # type: ignore[attr-defined]
        before, after = self._names.get(name, frozenset()), _names(machine)
        self._names[name] = after
        for gone in before - after:
            if self._where.get(gone) == name:
                del self._where[gone]
        for new in sorted(after - before):
            other = self._where.setdefault(new, name)
            if other != name:
                self.violations.append(
                    Violation("one host each", f"{new} starts on {name} while it runs on {other}")
                )


def _names(machine: object) -> frozenset[str]:
    return frozenset(report.name for report in machine.inventory())  # type: ignore[attr-defined]


class Complaints(logging.Handler):
    """Turns logged exceptions of the cloud's own code into violations: they are defects, whatever they are of."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(logging.ERROR)
        self._violations = violations

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._violations.append(Violation("no internal error", f"{record.getMessage()}: {error!r}"))
