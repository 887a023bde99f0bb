"""What goes through a simulated router: counted from what its guests send and receive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cloudsim.protocol.router import RouterConfiguration, RouterGuest
from cloudsim.protocol.systemvm import AddressTraffic

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.site import Site


class RouterTraffic:
    """Bytes by public address since the router booted at simulated second `since`.

    All that a guest sends and receives on its default card goes through the public address that it is seen as, unless
    its network lets nothing out. What it did between the last count and its end is lost, as with CloudStack's counters.
    """

    def __init__(self, site: Site, since: float) -> None:
        self._site = site
        self._since = since
        self._seen: dict[str, tuple[float, int, int]] = {}
        """By instance: when it had started, and its counters (sent, received) at the last count."""
        self._totals: dict[str, tuple[int, int]] = {}

    def count(self, configuration: RouterConfiguration) -> tuple[AddressTraffic, ...]:
        """Take what came to pass under this configuration since the last count into the totals; return these."""
        seen: dict[str, tuple[float, int, int]] = {}
        for name, ip in _ways_out(configuration):
            running = self._site.running(name)
            if running is None:
                continue
            now = (running.started, *self._counters(name, running))
            before = self._seen.get(name)
            if before is None or before[0] != running.started:
                # A guest from before the router has counted things that were not the router's.
                before = (running.started, 0, 0) if running.started >= self._since else now
            sent, received = self._totals.get(ip, (0, 0))
            self._totals[ip] = sent + now[1] - before[1], received + now[2] - before[2]
            seen[name] = now
        self._seen = seen
        return tuple(AddressTraffic(a.ip, *self._totals.get(a.ip, (0, 0))) for a in configuration.public)

    def _counters(self, name: str, guest: Guest) -> tuple[int, int]:
        for machine in self._site.hosts_of[name]:
            if machine.guests[name] is guest:
                measured = machine.measure(guest)
                return measured.network_write_bytes, measured.network_read_bytes
        raise AssertionError(f"{name} runs nowhere")


def _ways_out(configuration: RouterConfiguration) -> Iterator[tuple[str, str]]:
    """Instances that speak with the outside, and the public addresses that they are seen as there."""
    static = {nat.guest_ip: nat.ip for nat in configuration.static_nats}
    source = next((address.ip for address in configuration.public if address.source_nat), None)
    for network in configuration.guests:
        if network.acl is None and not (network.egress_allowed or network.egress):
            continue
        for guest in network.guests:
            ip = static.get(guest.ip, source)
            if guest.default and ip is not None:
                yield guest.vm, ip


def guests_of(configuration: RouterConfiguration) -> Iterator[RouterGuest]:
    """All guests of all its networks."""
    for network in configuration.guests:
        yield from network.guests
