"""What all simulated system VMs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.systemvm import Ping, Pong, SystemVmReply, SystemVmRequest

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine

VERSION = "1.0"


class Appliance:
    """The software inside a system VM, from one boot to the next. `booted` is the simulated second of the boot."""

    def __init__(self, machine: Machine, guest: Guest) -> None:
        self.machine = machine
        self.guest = guest
        self.booted = guest.started

    @property
    def now(self) -> float:
        return self.machine.site.loop.time()

    def stop(self) -> None:
        """The system VM stops, or is gone: nothing of it goes on."""

    async def reply(self, request: SystemVmRequest) -> SystemVmReply:
        """Do what is asked. Raises HypervisorError for what this kind of system VM does not know."""
        if isinstance(request, Ping):
            assert self.guest.spec.system is not None
            return Pong(version=VERSION, uptime=self.now - self.booted, role=self.guest.spec.system.role)
        raise HypervisorError(f"{self.guest.spec.name} does not know the request {type(request).__name__}")
