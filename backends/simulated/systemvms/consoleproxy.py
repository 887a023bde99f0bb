"""The software of a simulated console proxy."""

from __future__ import annotations

from backends.simulated.systemvms.appliance import Appliance


class SimulatedConsoleProxy(Appliance):
    """It replies to what its kind is asked; see `cloudsim.protocol.systemvm`."""
