"""A simulated cloud whose zone has public addresses, and so console proxies; and a browser of sorts."""

from __future__ import annotations

from typing import Any

from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.management.systemvm.consoles import Endpoint
from cloudsim.model import ConsoleSession, Host, PhysicalNetwork, SystemVm, VirtualMachine
from tests.cloudsim.management.cloud_harness import Cloud


class Screen:
    """What somebody sees who opened a console in the simulated world."""

    def __init__(self, terminal_of: Any, session: Any) -> None:
        self.seen = ""
        self.over = False
        self.cut = False
        session.cut = self._cut
        self.terminal = terminal_of(session, self._write, self._ended)
        self.terminal.show()

    def _write(self, data: bytes) -> None:
        self.seen += data.decode()

    def _ended(self) -> None:
        self.over = True

    def _cut(self) -> None:
        self.cut = True


class ConsoleCloud(Cloud):
    """`Cloud`; after `found`, its zone has a console proxy that answers."""

    def public_range(self) -> None:
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
                end_ip="198.51.100.60",
            )
        )

    def found(self) -> SystemVm:
        """Give the zone public addresses, and let time pass until its console proxy is up."""
        self.call(self.public_range)
        self.until(lambda: len(self.serving()) == 1)
        return self.serving()[0]

    def until(self, condition: Any, seconds: float = 1200.0) -> float:
        """Let time pass until it is so; how many seconds that took."""
        began = self.world.loop.time()
        while not condition():
            assert self.world.loop.time() - began < seconds, [row for row in self.table(SystemVm)]
            self.wait(1)
        return float(self.world.loop.time() - began)

    def proxies(self) -> list[SystemVm]:
        found: list[SystemVm] = self.manager.console_proxies.of(self.zone.id)
        return found

    def serving(self) -> list[SystemVm]:
        found: list[SystemVm] = self.manager.console_proxies.choose(self.zone.id)
        return found

    def open(self, vm: VirtualMachine, **how: Any) -> Endpoint:
        endpoint: Endpoint = self.do(self.manager.consoles.open(self.admin, vm, **how))
        return endpoint

    def session(self, endpoint: Endpoint) -> ConsoleSession:
        row: ConsoleSession = self.table(ConsoleSession)[endpoint.session_id]
        return row

    def browse(self, endpoint: Endpoint, secret: str | None = None) -> Screen | None:
        """Bring the token to whichever simulated proxy is at the endpoint's address."""
        for proxy in self.world.site.console_proxies.values():
            row = next(each for each in self.proxies() if self.machine(each).instance_name == proxy.guest.spec.name)
            if row.public_ip == endpoint.host:
                session = proxy.open(endpoint.token if secret is None else secret, "192.0.2.77")
                return None if session is None else Screen(proxy.terminal, session)
        return None

    def machine(self, proxy: SystemVm) -> VirtualMachine:
        row: VirtualMachine = self.table(VirtualMachine)[proxy.id]
        return row

    def host_of(self, vm: VirtualMachine) -> str:
        return str(self.table(Host)[vm.host_id].guid)
