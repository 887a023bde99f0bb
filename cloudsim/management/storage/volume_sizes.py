"""How large a volume may be, and is to be."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.settings import Settings
from cloudsim.model import DiskOffering

GIB = 1 << 30


def bytes_of(size_gib: int, settings: Settings) -> int:
    """A size that a caller asks for, in bytes. Raises InvalidParameterValue."""
    return _within(size_gib, 1, settings.integer("storage.max.volume.size"))


def custom_bytes_of(size_gib: int, settings: Settings) -> int:
    """The same where a disk offering leaves the size open."""
    smallest = settings.integer("custom.diskoffering.size.min")
    largest = min(settings.integer("custom.diskoffering.size.max"), settings.integer("storage.max.volume.size"))
    return _within(size_gib, smallest, largest)


def _within(size_gib: int, smallest: int, largest: int) -> int:
    if not smallest <= size_gib <= largest:
        raise InvalidParameterValue(
            f"Volume size: {size_gib}GB is out of allowed range. Min: {smallest}. Max: {largest}"
        )
    return size_gib * GIB


def size_of(offering: DiskOffering, size_gib: int | None, settings: Settings) -> int:
    """Bytes of a disk of that offering, `size_gib` being what the caller asks where the offering is open."""
    if not offering.customized:
        if size_gib is not None:
            raise InvalidParameterValue("This disk offering does not allow custom size")
        return offering.size
    if size_gib is None:
        raise InvalidParameterValue("This disk offering requires a custom size specified")
    return custom_bytes_of(size_gib, settings)
