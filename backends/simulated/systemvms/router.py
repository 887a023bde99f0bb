"""The software of a simulated virtual router: the configuration that it was last given, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backends.simulated.systemvms.appliance import Appliance
from backends.simulated.systemvms.router_traffic import RouterTraffic, guests_of
from cloudsim.protocol.router import RouterConfiguration
from cloudsim.protocol.systemvm import (
    CheckHealth,
    ConfigureRouter,
    Done,
    HealthCheckResult,
    HealthReport,
    RouterStatistics,
    RouterStatisticsResult,
    SystemVmReply,
    SystemVmRequest,
)

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine

LEAST_MEMORY = 0.05
"""Of the machine's size, which must be free: as a real router has it."""


class SimulatedRouter(Appliance):
    """`configuration` is what is in force, None until it was told; `number` is its number."""

    def __init__(self, machine: Machine, guest: Guest) -> None:
        super().__init__(machine, guest)
        self.configuration: RouterConfiguration | None = None
        self.number = 0
        self._traffic = RouterTraffic(machine.site, self.booted)

    async def reply(self, request: SystemVmRequest) -> SystemVmReply:
        if isinstance(request, ConfigureRouter):
            return self._configure(request)
        if isinstance(request, RouterStatistics):
            return self._statistics()
        if isinstance(request, CheckHealth):
            return HealthReport(checks=tuple(self._checks()))
        return await super().reply(request)

    def _configure(self, request: ConfigureRouter) -> Done:
        if request.number < self.number:
            return Done(
                error=f"configuration {request.number} is older than {self.number}, which is in force"
            )
        if self.configuration is not None:
            self._traffic.count(self.configuration)
        self.configuration, self.number = request.configuration, request.number
        self._traffic.count(self.configuration)
        return Done()

    def _statistics(self) -> RouterStatisticsResult:
        """Leases and members are those of guests that run."""
        it = self.configuration
        if it is None:
            return RouterStatisticsResult()
        site = self.machine.site
        running = {guest.ip for guest in guests_of(it) if site.running(guest.vm) is not None}
        members = [
            (b.id, m.id, m.ip in running) for b in it.balancers for m in b.members if b.protocol != "udp"
        ]
        return RouterStatisticsResult(
            number=self.number,
            traffic=self._traffic.count(it),
            leases=tuple(
                (guest.mac, guest.ip)
                for network in it.guests
                if "Dhcp" in network.services
                for guest in network.guests
                if guest.ip in running
            ),
            members_up=tuple((balancer, member) for balancer, member, up in members if up),
            members_down=tuple((balancer, member) for balancer, member, up in members if not up),
            sites_up=self._sites_up(),
        )

    def _sites_up(self) -> tuple[str, ...]:
        """Peers elsewhere answer whoever calls them; they never call themselves, so that passive connections wait."""
        sites = self.configuration.sites if self.configuration is not None else ()
        return tuple(site.id for site in sites if not site.passive)

    def _checks(self) -> Iterator[HealthCheckResult]:
        """As a real router's, of what there is here."""
        spec, it = self.guest.spec, self.configuration
        free = spec.memory_mib - self.machine.measure(self.guest).memory_mib
        details = f"{free} of {spec.memory_mib} MiB available"
        yield HealthCheckResult("memory", free >= LEAST_MEMORY * spec.memory_mib, details)
        if it is None:
            yield HealthCheckResult("packet.filter", False, "it was not told yet what to do")
            return
        cards = {nic.mac for nic in self.guest.nics}
        wanted = [*(p.mac for p in it.public), *(g.mac for g in it.guests), *(p.mac for p in it.private)]
        lacking = [mac for mac in dict.fromkeys(wanted) if mac not in cards]
        yield HealthCheckResult(
            "interfaces", not lacking, f"not there: {', '.join(lacking)}" if lacking else ""
        )
        services = {service for network in it.guests for service in network.services}
        for name, runs in (
            ("dnsmasq", bool({"Dhcp", "Dns"} & services)),
            ("haproxy", any(b.protocol != "udp" for b in it.balancers)),
            ("metadata", "UserData" in services),
        ):
            if runs:
                yield HealthCheckResult(f"service.{name}", True, "running")
        yield HealthCheckResult("packet.filter", True)
        topology = self.machine.site.topology
        reached = topology.reachable(self.machine.place, topology.root)
        for gateway in dict.fromkeys(address.gateway for address in it.public):
            details = "" if reached else "a link on the way is cut"
            yield HealthCheckResult(f"gateway.{gateway}", reached, details, "advanced")
