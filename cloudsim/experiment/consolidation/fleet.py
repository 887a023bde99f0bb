"""What the hosts of a study are."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from cloudsim.consolidation.power import Model, PowerModel
from cloudsim.consolidation.servers import SERVERS

Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]


class HostKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of host: cores of `mhz` each, memory, network (Mbit/s), and power: a model, or a server's name.

    Half of the network is for migrations.
    """

    cores: Count
    mhz: Count
    memory_mib: Count
    power: str | Model
    mbit: Positive = 1000.0

    def __post_init__(self) -> None:
        if isinstance(self.power, str) and self.power not in SERVERS:
            raise ValueError(f"power: expected a model or one of {', '.join(SERVERS)}, got {self.power!r}")

    @property
    def model(self) -> PowerModel:
        return SERVERS[self.power] if isinstance(self.power, str) else self.power

    @property
    def migration_mib_s(self) -> float:
        """MiB of memory that reach such a host in a second of a migration (a Mbit/s taken as 1/8 MiB/s, as the studies do)."""
        return self.mbit * 1000 / (2 * 8000)


STUDY_HOSTS = (
    HostKind(cores=2, mhz=1860, memory_mib=4096, power="hp-ml110-g4"),
    HostKind(cores=2, mhz=2660, memory_mib=4096, power="hp-ml110-g5"),
)
"""The hosts of the PlanetLab study."""
