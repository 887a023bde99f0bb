"""The software of a simulated console proxy: the real one's book of grants, on simulated time and simulated instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import msgspec

from backends.simulated.console import Terminal
from backends.simulated.systemvms.appliance import Appliance
from backends.systemvm.consoleproxy.grants import Grants, Session
from backends.systemvm.consoleproxy.service import reply
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.systemvm import (
    AnyReply,
    ConsoleSessions,
    GrantConsole,
    RevokeConsole,
    SystemVmReply,
    SystemVmRequest,
)

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine


class SimulatedConsoleProxy(Appliance):
    """It knows instances by their hosts' addresses and console ports, and opens a terminal on one for a token."""

    def __init__(self, machine: Machine, guest: Guest) -> None:
        super().__init__(machine, guest)
        self.site = machine.site
        self.grants = Grants(self.site.unix)
        self.site.console_proxies[guest.spec.name] = self

    async def reply(self, request: SystemVmRequest) -> SystemVmReply:
        if isinstance(request, GrantConsole | RevokeConsole | ConsoleSessions):
            return cast(
                SystemVmReply, msgspec.convert(reply(self.grants, msgspec.to_builtins(request)), AnyReply)
            )
        return await super().reply(request)

    def stop(self) -> None:
        self.grants.end_all()
        if self.site.console_proxies.get(self.guest.spec.name) is self:
            del self.site.console_proxies[self.guest.spec.name]

    def open(self, secret: str, client: str) -> Session | None:
        """Use a token up: see `Grants.take`."""
        return self.grants.take(secret, client)

    def terminal(
        self, session: Session, write: Callable[[bytes], object], ended: Callable[[], object]
    ) -> Terminal:
        """The instance's console as the session shows it. Raises HypervisorError when it is not there any more."""
        grant = session.grant
        machine = self.site.machines.get(grant.host)
        if machine is None or not machine.powered or not self.site.topology.reachable(self.machine.place, machine.place):
            raise HypervisorError("the instance's host does not answer")
        for guest in machine.guests.values():
            if guest.port == grant.port and guest.state != "incoming":
                return Terminal(machine, guest, write, ended)
        raise HypervisorError("the instance does not run there any more")
