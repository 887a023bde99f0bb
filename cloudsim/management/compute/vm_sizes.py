"""How large an instance is: its offering's sizes, completed by its owner's where the offering leaves them open."""

from __future__ import annotations

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import ServiceOffering

LARGEST = (1 << 31) - 1


class Sizes(msgspec.Struct, frozen=True):
    """What an instance reserves."""

    cpus: int
    cpu_mhz: int
    memory_mib: int


def sizes(offering: ServiceOffering, cpus: int | None, cpu_mhz: int | None, memory_mib: int | None) -> Sizes:
    """The offering's sizes, completed by the caller's where the offering leaves them open."""
    chosen = []
    for name, fixed, asked in (
        ("cpuNumber", offering.cpus, cpus),
        ("cpuSpeed", offering.cpu_mhz, cpu_mhz),
        ("memory", offering.memory_mib, memory_mib),
    ):
        if fixed is not None:
            if asked is not None and asked != fixed:
                raise InvalidParameterValue(f"{name} is fixed to {fixed} by service offering {offering.name}")
            chosen.append(fixed)
        elif asked is None:
            raise InvalidParameterValue(
                f"{name} must be given in details: offering {offering.name} is customized"
            )
        else:
            least, most = _bounds(offering, name)
            if not least <= asked <= most:
                raise InvalidParameterValue(
                    f"{name} must be from {least} to {most} with service offering {offering.name}, not {asked}"
                )
            chosen.append(asked)
    return Sizes(*chosen)


def _bounds(offering: ServiceOffering, name: str) -> tuple[int, int]:
    """The least and the most that the offering's details allow of what it leaves open."""
    least, most = (offering.details.get(f"{end}{name.lower()}") for end in ("min", "max"))
    return int(least) if least else 1, int(most) if most else LARGEST
