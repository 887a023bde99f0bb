"""The data disks that a deployment asks for, read off its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_plan import DataDisk
from cloudsim.management.storage.volume_sizes import GIB
from cloudsim.model import DiskOffering
from server.api.command import Call

_NUMBERS = {"size": "size", "miniops": "min_iops", "maxiops": "max_iops", "deviceid": "device"}


def data_disks(
    call: Call,
    offering: DiskOffering | None,
    size: int | None,
    entries: Sequence[Mapping[str, str]] | None,
    *,
    iso: bool,
) -> tuple[DataDisk, ...]:
    """The disks, with an ISO the root disk first. Sizes of the parameters are GiB. Raises InvalidParameterValue."""
    disks = []
    if offering is not None:
        if entries and not iso:
            raise InvalidParameterValue("Parameters diskofferingid and datadisksdetails exclude each other")
        disks.append(DataDisk(offering.id, None if size is None else size * GIB))
    elif size is not None:
        raise InvalidParameterValue("Parameter size is of the disk that diskofferingid is for, which is not given")
    for number, entry in enumerate(entries or ()):
        disks.append(_disk(call, f"datadisksdetails[{number}]", {k.lower(): v for k, v in entry.items()}))
    return tuple(disks)


def _disk(call: Call, where: str, entry: Mapping[str, str]) -> DataDisk:
    unknown = sorted(entry.keys() - _NUMBERS.keys() - {"diskofferingid"})
    if unknown:
        raise InvalidParameterValue(
            f"{where} has {unknown[0]}, and takes diskofferingid, {', '.join(_NUMBERS)}"
        )
    found = call.resolve(DiskOffering, entry.get("diskofferingid", "").strip(), "use")
    if found is None:
        raise InvalidParameterValue(f"{where} needs the diskofferingid of a disk offering")
    numbers: dict[str, int] = {}
    for name, field in _NUMBERS.items():
        text = entry.get(name, "").strip()
        if text and not re.fullmatch(r"[0-9]{1,15}", text, re.ASCII):
            raise InvalidParameterValue(f"{where}: {name} must be a whole number, not {text[:40]!r}")
        if text:
            numbers[field] = int(text)
    if "size" in numbers:
        numbers["size"] *= GIB
    return DataDisk(found.id, **numbers)
