"""How large a volume may be, and is to be."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import DiskOffering

GIB = 1 << 30
MAX_GIB = 2000
"""The largest volume that anybody can ask for: CloudStack's storage.max.volume.size."""


def bytes_of(size_gib: int) -> int:
    """A size that a caller asks for, in bytes. Raises InvalidParameterValue."""
    if not 1 <= size_gib <= MAX_GIB:
        raise InvalidParameterValue(
            f"Volume size: {size_gib}GB is out of allowed range. Min: 1. Max: {MAX_GIB}"
        )
    return size_gib * GIB


def size_of(offering: DiskOffering, size_gib: int | None) -> int:
    """Bytes of a disk of that offering, `size_gib` being what the caller asks where the offering is open."""
    if not offering.customized:
        if size_gib is not None:
            raise InvalidParameterValue("This disk offering does not allow custom size")
        return offering.size
    if size_gib is None:
        raise InvalidParameterValue("This disk offering requires a custom size specified")
    return bytes_of(size_gib)
