"""A simulated host as an agent sees it."""

from __future__ import annotations

from backends.simulated.instances import Instances
from backends.simulated.machine import HYPERVISOR
from backends.simulated.migration import Migration
from backends.simulated.storage_objects import StorageObjects
from backends.simulated.system_vms import SystemVms
from backends.simulated.unmanaged import Unmanaged

__all__ = ["HYPERVISOR", "SimulatedHypervisor"]


class SimulatedHypervisor(Instances, Migration, StorageObjects, SystemVms, Unmanaged):
    """Implements `cloudsim.hypervisor.Hypervisor`; each concern is in the module of its base class.

    `inventory()` is what the agent's ping asks for: all instances, at once and without a task.
    """

    __slots__ = ()
