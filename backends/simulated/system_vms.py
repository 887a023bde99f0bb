"""System VMs on a simulated host: what runs inside each, by its role, and how it replies."""

from __future__ import annotations

from typing import cast

from backends.simulated.guest import Guest
from backends.simulated.machine import Machine
from backends.simulated.systemvms.appliance import Appliance
from backends.simulated.systemvms.consoleproxy import SimulatedConsoleProxy
from backends.simulated.systemvms.diagnostics import diagnose
from backends.simulated.systemvms.router import SimulatedRouter
from backends.simulated.systemvms.secstorage import SimulatedStorageVm
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.systemvm import AnyReply, AnyRequest, RunDiagnostics

ROLES: dict[str, type[Appliance]] = {
    "router": SimulatedRouter,
    "vpcrouter": SimulatedRouter,
    "ilb": SimulatedRouter,
    "consoleproxy": SimulatedConsoleProxy,
    "secstorage": SimulatedStorageVm,
}


class SystemVms(Machine):
    """`ask_system_vm` of `cloudsim.hypervisor.Hypervisor`. What a system VM was told it forgets when it restarts."""

    __slots__ = ()

    async def ask_system_vm(self, name: str, request: AnyRequest) -> AnyReply:
        appliance = self.appliance(self.running(name))
        await self.take("systemvm_request")
        if isinstance(request, RunDiagnostics):
            return await diagnose(self, self.running(name), request)
        return cast(AnyReply, await appliance.reply(request))

    def appliance(self, guest: Guest) -> Appliance:
        """What runs in the system VM since it last booted."""
        system = guest.spec.system
        if system is None:
            raise HypervisorError(f"{guest.spec.name} is no system VM")
        if guest.appliance is None or guest.appliance.booted != guest.started:
            guest.appliance = ROLES[system.role](self, guest)
        return guest.appliance
