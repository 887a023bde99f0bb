"""How the disks of an offering behave, and how a service offering keeps that of its root disks."""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import DiskOffering, ServiceOffering
from cloudsim.protocol.specs import CacheMode

StorageType = Literal["shared", "local"]
ProvisioningType = Literal["thin", "sparse", "fat"]
RATES = ("bytes_read_rate", "bytes_write_rate", "iops_read_rate", "iops_write_rate")


class DiskTraits(msgspec.Struct, frozen=True, kw_only=True):
    """How the disks of an offering behave. Rates are per second; None is unlimited.

    `*_max` is what a burst may reach, `*_max_length` how many seconds of it there may be (1, where it is not said).
    """

    storage_type: StorageType = "shared"
    provisioning_type: ProvisioningType = "thin"
    tags: tuple[str, ...] = ()
    min_iops: int | None = None
    max_iops: int | None = None
    customized_iops: bool = False
    bytes_read_rate: int | None = None
    bytes_write_rate: int | None = None
    iops_read_rate: int | None = None
    iops_write_rate: int | None = None
    bytes_read_rate_max: int | None = None
    bytes_read_rate_max_length: int | None = None
    bytes_write_rate_max: int | None = None
    bytes_write_rate_max_length: int | None = None
    iops_read_rate_max: int | None = None
    iops_read_rate_max_length: int | None = None
    iops_write_rate_max: int | None = None
    iops_write_rate_max_length: int | None = None
    cache_mode: CacheMode | None = None

    def check(self) -> None:
        """Raise InvalidParameterValue for what contradicts itself."""
        if self.provisioning_type not in ("thin", "sparse", "fat"):
            raise InvalidParameterValue("provisioningtype must be thin, sparse or fat")
        if self.cache_mode not in (None, "none", "writeback", "writethrough", "hypervisor_default"):
            raise InvalidParameterValue(
                "cachemode must be none, writeback, writethrough or hypervisor_default"
            )
        rates = (getattr(self, rate) for rate in RATES)
        if any(rate is not None and rate < 0 for rate in (*rates, self.min_iops, self.max_iops)):
            raise InvalidParameterValue("Rates and IOPS of an offering must not be negative")
        for rate in RATES:
            self._check_burst(rate)
        if self.customized_iops and (self.min_iops is not None or self.max_iops is not None):
            raise InvalidParameterValue("miniops and maxiops are the caller's when IOPS are customized")
        if self.min_iops is not None and (self.max_iops is None or self.min_iops > self.max_iops):
            raise InvalidParameterValue("miniops needs a maxiops that is not below it")

    def _check_burst(self, rate: str) -> None:
        usual, most, length = (getattr(self, f"{rate}{of}") for of in ("", "_max", "_max_length"))
        name = rate.replace("_", "")
        if most is not None and most and (not usual or most < usual):
            raise InvalidParameterValue(f"{name}max needs a {name}, and must not be below it")
        if most is not None and most < 0:
            raise InvalidParameterValue(f"{name}max must not be negative")
        if length is not None and (length < 0 or (length and not most)):
            raise InvalidParameterValue(f"{name}maxlength is in seconds, and goes with a {name}max")


DISK_DETAIL = "disk."
"""Details of a service offering that begin so say how its root disks behave; they are not the operator's."""
_KEPT = (
    "provisioning_type",
    "min_iops",
    "max_iops",
    "customized_iops",
    "cache_mode",
    *(f"{rate}{of}" for rate in RATES for of in ("", "_max", "_max_length")),
)


def traits_as_details(disk: DiskTraits) -> dict[str, str]:
    """What a service offering keeps of its root disks' traits, beside storage type and tags."""
    values = ((field, getattr(disk, field)) for field in _KEPT)
    return {
        f"{DISK_DETAIL}{field}": str(value) for field, value in values if value not in (None, False, "thin")
    }


ROOT_OFFERING, STRICT = f"{DISK_DETAIL}offering", f"{DISK_DETAIL}strict"
ENCRYPTED = f"{DISK_DETAIL}encrypted"


def check_unencrypted(offering: DiskOffering | ServiceOffering) -> None:
    """Raise InvalidParameterValue for an offering of encrypted disks: there may be such, but nothing can be of it."""
    encrypted = offering.encrypt if isinstance(offering, DiskOffering) else ENCRYPTED in offering.details
    if encrypted:
        raise InvalidParameterValue(
            f"Disks of offering {offering.name} are to be encrypted, and no host or storage of this cloud encrypts any"
        )


def root_offering_details(offering: DiskOffering | None, strict: bool) -> dict[str, str]:
    """What a service offering keeps of the disk offering of its root disks."""
    if offering is None:
        return {}
    return {ROOT_OFFERING: offering.id} | ({STRICT: "true"} if strict else {})


def traits_of(offering: ServiceOffering) -> DiskTraits:
    """The traits of a service offering's root disks."""
    kept = {
        name.removeprefix(DISK_DETAIL): value
        for name, value in offering.details.items()
        if name.startswith(DISK_DETAIL)
    }
    if not kept:  # as most are
        return DiskTraits(storage_type=offering.storage_type, tags=offering.storage_tags)
    kept["customized_iops"] = kept.get("customized_iops", "false").lower()
    found = msgspec.convert(kept, DiskTraits, strict=False)
    return msgspec.structs.replace(found, storage_type=offering.storage_type, tags=offering.storage_tags)
