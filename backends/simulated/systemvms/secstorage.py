"""The software of a simulated secondary storage VM."""

from __future__ import annotations

from backends.simulated.systemvms.appliance import Appliance


class SimulatedStorageVm(Appliance):
    """It replies to what its kind is asked; see `cloudsim.protocol.systemvm`."""
