"""What all parts of a libvirt host stand on."""

from __future__ import annotations

from backends.libvirt.connection import Connection
from backends.libvirt.kept import KeptSpecs
from backends.libvirt.networks import GuestNetworks
from backends.libvirt.pools import Pools
from backends.libvirt.settings import HostSettings


class HostBase:
    """One host: its settings, its libvirt, its pools, its networks, and the specs of what runs on it."""

    def __init__(self, settings: HostSettings) -> None:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.settings = settings
        self.connection = Connection(settings.uri, settings.libvirt_timeout)
        self.kept = KeptSpecs(settings.data / "instances")
        self.pools = Pools(settings.data)
        self.networks = GuestNetworks(settings)
