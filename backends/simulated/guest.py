"""An instance on a simulated host, as it is just now."""

from __future__ import annotations

from typing import Literal

from backends.simulated.console import GuestConsole
from backends.simulated.systemvms.appliance import Appliance
from backends.simulated.work import Work
from cloudsim.protocol.specs import DiskSpec, NicSpec, VmReport, VmSpec


class Guest:
    """An instance on a host. `spec` is as it is now, with what was scaled, plugged and attached since.

    Its memory is taken in all states. One that is `incoming` still runs where it came from. `work` is what it
    was given to compute, if anything, since it booted; `appliance` is what runs in a system VM; `console` is what its
    screen tells, once there is something to tell or somebody who watches.
    """

    __slots__ = ("appliance", "console", "port", "report", "spec", "started", "state", "work")

    def __init__(self, spec: VmSpec, state: Literal["booting", "running", "paused", "incoming"], now: float) -> None:
        self.spec = spec
        self.state = state
        self.started = now
        self.port = 0
        self.work: Work | None = None
        self.appliance: Appliance | None = None
        self.console: GuestConsole | None = None
        self.report = VmReport(spec.name, spec.id, "PowerOn")

    @property
    def disks(self) -> tuple[DiskSpec, ...]:
        return self.spec.disks

    @property
    def nics(self) -> tuple[NicSpec, ...]:
        return self.spec.nics
