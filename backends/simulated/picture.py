"""What runs in a simulated world, as the oracle of `cloudsim.systemvm.reachability` looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.simulated.systemvms.router import SimulatedRouter
from cloudsim.systemvm.reachability import Picture, RouterInForce

if TYPE_CHECKING:
    from backends.simulated.site import Site


def picture(site: Site) -> Picture:
    """Of all hosts with power: the instances that run, and the routers with what they were last told.

    It takes a time in proportion to what runs, so it is for somebody who asks, not for what happens all the time.
    """
    guests = [
        guest
        for machine in site.machines.values()
        for guest in machine.guests.values()
        if guest.state == "running"
    ]
    routers = [
        RouterInForce(guest.appliance.configuration)
        for guest in guests
        if isinstance(guest.appliance, SimulatedRouter)
        and guest.appliance.configuration is not None
        and guest.appliance.booted == guest.started
    ]
    return Picture((guest.spec for guest in guests if guest.spec.system is None), routers)
