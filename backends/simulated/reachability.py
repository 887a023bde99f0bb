"""The oracle's picture of a simulated datacenter: what really runs and is in force, whatever a manager believes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backends.simulated.systemvms.router import SimulatedRouter
from cloudsim.systemvm.reachability import Picture, RouterInForce

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine


def picture(machines: Iterable[Machine], outside: tuple[str, ...] = ()) -> Picture:
    """Of what runs on these machines. A router that is down, or that was not told yet what to do, is not in it."""
    running = [guest for m in machines for guest in m.guests.values() if guest.state == "running"]
    routers = (router_in_force(guest) for guest in running)
    return Picture(
        [guest.spec for guest in running if guest.spec.system is None or _is_seen(guest)],
        [router for router in routers if router is not None],
        outside,
    )


def router_in_force(guest: Guest) -> RouterInForce | None:
    """The guest as a router; None if it is none, or none yet."""
    appliance = guest.appliance
    if not isinstance(appliance, SimulatedRouter) or appliance.booted != guest.started:
        return None
    if appliance.configuration is None:
        return None
    wires = {nic.mac: nic.vlan or nic.network_id for nic in guest.nics}
    return RouterInForce(appliance.configuration, wires)


def _is_seen(guest: Guest) -> bool:
    """Console proxies and secondary storage VMs have addresses of their own; a router's are in its configuration."""
    system = guest.spec.system
    return system is not None and system.role in ("consoleproxy", "secstorage")
