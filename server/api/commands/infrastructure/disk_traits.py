"""How an offering says how its disks behave, in parameters and in answers: the same for service and disk offerings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_traits import RATES, DiskTraits
from cloudsim.model import DiskOffering
from server.api.command import Call
from server.api.parameters import Long, Param, Parameter, one_of, parameter

_BURST_FIELDS = {f"{rate}{of}".replace("_", ""): f"{rate}{of}" for rate in RATES for of in ("_max", "_max_length")}
_FIELDS = {
    **_BURST_FIELDS,
    "bytesreadrate": "bytes_read_rate",
    "byteswriterate": "bytes_write_rate",
    "iopsreadrate": "iops_read_rate",
    "iopswriterate": "iops_write_rate",
    "miniops": "min_iops",
    "maxiops": "max_iops",
    "customizediops": "customized_iops",
    "cachemode": "cache_mode",
    "provisioningtype": "provisioning_type",
}
"""Wire name -> field of DiskTraits, where the value stays as it is."""


def words(text: str | None) -> tuple[str, ...]:
    """The parts of a comma separated text."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


_BURST, _LENGTH = Param("what a burst may reach; with the rate"), Param("seconds of a burst, by default 1")
_BURST_PARAMETERS = tuple(
    parameter(name, Annotated[Long | None, _LENGTH if name.endswith("length") else _BURST], None) for name in _BURST_FIELDS
)
_SHOWN = {
    f"disk{''.join(part.capitalize() for part in field.split('_'))}": field for field in _BURST_FIELDS.values()
}
"""Name in an answer -> field of DiskTraits and of DiskOffering."""


def bursts_shown(traits: DiskTraits | DiskOffering) -> dict[str, Any]:
    """The fields of an answer that tell of bursts."""
    return {name: getattr(traits, field) for name, field in _SHOWN.items()}


_PARAMETERS = (
    *_BURST_PARAMETERS,
    parameter("storagetype", Annotated[str | None, one_of("shared", "local")], None),
    parameter("provisioningtype", Annotated[str | None, one_of("thin", "sparse", "fat")], None),
    parameter("bytesreadrate", Long | None, None),
    parameter("byteswriterate", Long | None, None),
    parameter("iopsreadrate", Long | None, None),
    parameter("iopswriterate", Long | None, None),
    parameter("miniops", Long | None, None),
    parameter("maxiops", Long | None, None),
    parameter("customizediops", Annotated[bool | None, Param("the caller gives the IOPS")], None),
    parameter("cachemode", Annotated[str | None, one_of("none", "writeback", "writethrough")], None),
)


class _DiskParameters:
    """The wire parameters that make up DiskTraits."""

    def __init__(self, tags_length: int) -> None:
        tags = Param("tags that a storage pool must have", length=tags_length)
        self.parameters: tuple[Parameter, ...] = (
            *_PARAMETERS,
            parameter("tags", Annotated[str | None, tags], None),
        )

    def value(self, call: Call, values: Mapping[str, Any]) -> DiskTraits:
        storage = (values.get("storagetype") or "shared").lower()
        if storage not in ("shared", "local"):
            raise InvalidParameterValue("Invalid storage type: it is shared or local")
        given = {field: values[name] for name, field in _FIELDS.items() if values.get(name) not in (None, "")}
        return msgspec.structs.replace(
            DiskTraits(
                storage_type="local" if storage == "local" else "shared", tags=words(values.get("tags"))
            ),
            **given,
        )


Disk = Annotated[DiskTraits, _DiskParameters(tags_length=4096)]
"""storagetype, provisioningtype, tags, the rates and IOPS, and cachemode."""
RootDisk = Annotated[DiskTraits, _DiskParameters(tags_length=255)]
"""The same of a service offering."""


class _BurstParameters:
    """The wire parameters of bursts alone, by field of DiskTraits; None where one is not given."""

    parameters: tuple[Parameter, ...] = _BURST_PARAMETERS

    def value(self, call: Call, values: Mapping[str, Any]) -> dict[str, int | None]:
        return {field: values.get(name) for name, field in _BURST_FIELDS.items()}


Bursts = Annotated[dict[str, int | None], _BurstParameters()]
"""What bursts may reach, and for how long."""
