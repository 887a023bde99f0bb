"""Instances with figures for a dashboard: what they have and used, in the units that people read."""

from __future__ import annotations

from typing import Annotated, Self

from cloudsim.model import VirtualMachine
from server.api.command import Call, command
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.commands.compute.virtual_machines import list_virtual_machines
from server.api.views import Long


class VirtualMachineMetricsView(VirtualMachineView):
    """An instance with what it used. What it read, wrote and sent is missing until it has been measured."""

    cputotal: Annotated[str | None, "of all its vCPUs"] = None
    memorytotal: str | None = None
    networkread: str | None = None
    networkwrite: str | None = None
    diskread: str | None = None
    diskwrite: str | None = None
    diskiopstotal: Annotated[Long | None, "operations of both kinds"] = None

    @classmethod
    def of(cls, row: VirtualMachine, call: Call) -> Self:
        view = super().of(row, call)
        view.cputotal = f"{row.cpus * row.cpu_mhz / 1000:.2f} Ghz"
        view.memorytotal = f"{row.memory_mib / 1024:.2f} GB"
        view.networkread, view.networkwrite = _mib(view.networkkbsread), _mib(view.networkkbswrite)
        view.diskread, view.diskwrite = _mib(view.diskkbsread), _mib(view.diskkbswrite)
        if view.diskioread is not None and view.diskiowrite is not None:
            view.diskiopstotal = view.diskioread + view.diskiowrite
        return view


def _mib(kib: int | None) -> str | None:
    return None if kib is None else f"{kib / 1024:.2f} MB"


command(
    "listVirtualMachinesMetrics",
    view=VirtualMachineMetricsView,
    group="Virtual Machine",
    since="4.9.3",
    description="Lists instances with what they used.",
)(list_virtual_machines)
