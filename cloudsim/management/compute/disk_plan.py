"""Which disks a deployment makes: everything about them checked before anything is made."""

from __future__ import annotations

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_traits import (
    ROOT_OFFERING,
    STRICT,
    DiskTraits,
    check_unencrypted,
    traits_of,
)
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.hypervisor_types import capabilities_of
from cloudsim.management.storage.volume_attachment import CDROM_DEVICE
from cloudsim.management.storage.volume_sizes import GIB, custom_bytes_of
from cloudsim.management.storage.volume_states import check_at_rest
from cloudsim.model import Account, DiskOffering, ServiceOffering, Snapshot, Template, Volume, Zone

Iops = tuple[int | None, int | None]
"""The least and the most; None where nobody says."""


class DataDisk(msgspec.Struct, frozen=True):
    """A data disk to make at deployment; `size` bytes and IOPS for an offering that leaves them open.

    `device` is the slot that it takes, the first free one where None.
    """

    disk_offering_id: str
    size: int | None = None
    min_iops: int | None = None
    max_iops: int | None = None
    device: int | None = None


class RootPlan(msgspec.Struct, frozen=True):
    """The root disk: a new one of `size` bytes, of the snapshot where there is one; or a volume that is there."""

    size: int
    offering: DiskOffering | None = None
    snapshot: Snapshot | None = None
    volume: Volume | None = None
    min_iops: int | None = None
    max_iops: int | None = None


class DataPlan(msgspec.Struct, frozen=True):
    """A new data disk of `size` bytes in slot `device`."""

    offering: DiskOffering
    size: int
    device: int
    min_iops: int | None = None
    max_iops: int | None = None


class DiskPlan(msgspec.Struct, frozen=True):
    """The disks of one instance; no `root` where an extension sees to them."""

    root: RootPlan | None
    data: tuple[DataPlan, ...] = ()


class DiskPlans:
    """Makes DiskPlans. Each method raises InvalidParameterValue for what cannot be."""

    def __init__(self, foundation: Foundation) -> None:
        self._store = foundation.store
        self._settings = foundation.settings
        self._offerings = foundation.table(DiskOffering)
        self._volumes = foundation.table(Volume)
        self._snapshots = foundation.table(Snapshot)

    def of_template(
        self,
        template: Template,
        service: ServiceOffering,
        zone: Zone,
        *,
        override_id: str | None,
        size: int | None,
        iops: Iops = (None, None),
        data: tuple[DataDisk, ...],
        hypervisor: str,
    ) -> DiskPlan:
        """For a template, or an ISO: with one the first of `data` is the root disk, by CloudStack's rule.

        `override_id` names a disk offering for the root disk; `size` is the bytes that the caller wants of it.
        """
        if template.extension_id is not None:
            return _of_extension(template, override_id, size, data)
        explicit = override_id is not None
        override_id = _root_offering(service, override_id)
        if template.format != "ISO":
            root = self._root(template.size, f"template {template.name}", service, zone, override_id, size, iops)
            return DiskPlan(root, self._data(data, zone, hypervisor))
        if override_id is not None and (explicit or not data):
            data = (DataDisk(override_id, size), *data)
        elif size is not None:
            raise InvalidParameterValue("rootdisksize is for templates: with an ISO, diskofferingid and size say it")
        if not data:
            raise InvalidParameterValue(f"diskofferingid must be given: {template.name} is an ISO, and needs a root disk")
        first, *rest = data
        offering = self._offering(first.disk_offering_id, zone)
        least, most = _iops(offering, f"Disk offering {offering.name}", first.min_iops, first.max_iops)
        root = RootPlan(self._size(offering, first.size), offering, min_iops=least, max_iops=most)
        return DiskPlan(root, self._data(tuple(rest), zone, hypervisor))

    def of_snapshot(
        self,
        snapshot_id: str,
        service: ServiceOffering,
        zone: Zone,
        *,
        override_id: str | None,
        size: int | None,
        iops: Iops = (None, None),
        data: tuple[DataDisk, ...],
        hypervisor: str,
    ) -> DiskPlan:
        """For a snapshot of a root disk."""
        snapshot = self._snapshots.get(snapshot_id)
        if snapshot is None:
            raise InvalidParameterValue(f"Unable to find snapshot {snapshot_id}")
        if snapshot.state != "BackedUp":
            raise InvalidParameterValue(f"Snapshot {snapshot.name} is {snapshot.state}, and has to be BackedUp to deploy from it")
        if snapshot.zone_id != zone.id:
            raise InvalidParameterValue(f"Snapshot {snapshot.name} is not in zone {zone.name}")
        if snapshot.volume_type != "ROOT":
            raise InvalidParameterValue(f"Snapshot {snapshot.name} is of a data disk: snapshotid names one of a root disk")
        override_id = _root_offering(service, override_id)
        root = self._root(snapshot.size, f"snapshot {snapshot.name}", service, zone, override_id, size, iops)
        return DiskPlan(
            msgspec.structs.replace(root, snapshot=snapshot), self._data(data, zone, hypervisor)
        )

    def of_volume(
        self,
        volume_id: str,
        owner: Account,
        zone: Zone,
        *,
        override_id: str | None,
        size: int | None,
        data: tuple[DataDisk, ...],
        hypervisor: str,
    ) -> DiskPlan:
        """For a volume of the owner's that no instance has, and that has something in it."""
        volume = self._volumes.get(volume_id)
        if volume is None:
            raise InvalidParameterValue(f"Unable to find volume {volume_id}")
        if override_id is not None or size is not None:
            raise InvalidParameterValue(
                "With volumeid the root disk is as it is: overridediskofferingid and rootdisksize are for others"
            )
        check_at_rest(volume)
        if volume.vm_id is not None:
            raise InvalidParameterValue(f"Volume {volume.name} is attached to an instance, and has to be detached")
        if volume.zone_id != zone.id:
            raise InvalidParameterValue(f"Volume {volume.name} is not in zone {zone.name}")
        if volume.account_id != owner.id:
            raise InvalidParameterValue(f"Volume {volume.name} does not belong to {owner.name}, whose instance is deployed")
        if volume.state not in ("Ready", "Uploaded"):
            raise InvalidParameterValue(f"Volume {volume.name} is {volume.state}: there is nothing on it to start from")
        return DiskPlan(RootPlan(0, volume=volume), self._data(data, zone, hypervisor))

    def of_restore(
        self,
        template: Template,
        present: int,
        zone: Zone,
        *,
        offering: DiskOffering | None,
        size: int | None,
        iops: Iops = (None, None),
    ) -> RootPlan:
        """A new root disk from the template, in place of one of `present` bytes: as large, unless something is asked for."""
        if template.extension_id is not None:
            raise InvalidParameterValue(f"Template {template.name} is an extension's, and has nothing for a root disk")
        least = 0 if template.format == "ISO" else template.size
        if offering is not None:
            offering = self._offering(offering.id, zone)
            wanted = self._size(offering, size)
            if not offering.customized:
                wanted = max(wanted, least)
            low, high = _iops(offering, f"Disk offering {offering.name}", *iops)
        else:
            if iops != (None, None):
                raise InvalidParameterValue("minIops and maxIops go with a diskofferingid that takes them")
            wanted, low, high = max(present, least) if size is None else size, None, None
        largest = self._settings.integer("storage.max.volume.size")
        if not least <= wanted <= max(present, largest * GIB):
            raise InvalidParameterValue(
                f"rootdisksize must be from that of template {template.name}, {least} bytes, to {largest} GiB, not {wanted} bytes"
            )
        return RootPlan(wanted, offering, min_iops=low, max_iops=high)

    def _root(
        self,
        least: int,
        source: str,
        service: ServiceOffering,
        zone: Zone,
        override_id: str | None,
        asked: int | None,
        iops: Iops,
    ) -> RootPlan:
        """A root disk that holds at least what its source does."""
        offering = None if override_id is None else self._offering(override_id, zone)
        if offering is None:
            size = service.root_disk_size or least if asked is None else asked
            low, high = _iops(traits_of(service), f"Service offering {service.name}", *iops)
        else:
            size = least if asked is None and offering.customized else self._size(offering, asked)
            if not offering.customized:
                size = max(least, size)
            low, high = _iops(offering, f"Disk offering {offering.name}", *iops)
        largest = self._settings.integer("storage.max.volume.size")
        if size > largest * GIB:
            raise InvalidParameterValue(f"rootdisksize must not be above {largest} GiB")
        if size < least:
            raise InvalidParameterValue(
                f"rootdisksize override is smaller than template size: {size} bytes, and {source} has {least}"
            )
        return RootPlan(size, offering, min_iops=low, max_iops=high)

    def _data(self, disks: tuple[DataDisk, ...], zone: Zone, hypervisor: str) -> tuple[DataPlan, ...]:
        most = capabilities_of(self._store, hypervisor).max_data_volumes
        if len(disks) > most:
            raise InvalidParameterValue(f"An instance has at most {most} data disks on {hypervisor}, not {len(disks)}")
        usable = [slot for slot in range(1, most + 2) if slot != CDROM_DEVICE]
        named = [disk.device for disk in disks if disk.device is not None]
        for device in named:
            if device not in usable or named.count(device) > 1:
                raise InvalidParameterValue(f"deviceid {device} of a data disk is named twice, or is not usable")
        free = (slot for slot in usable if slot not in named)
        planned = []
        for disk in disks:
            offering = self._offering(disk.disk_offering_id, zone)
            low, high = _iops(offering, f"Disk offering {offering.name}", disk.min_iops, disk.max_iops)
            device = next(free) if disk.device is None else disk.device
            planned.append(DataPlan(offering, self._size(offering, disk.size), device, low, high))
        return tuple(planned)

    def _size(self, offering: DiskOffering, asked: int | None) -> int:
        """Bytes of a disk of that offering; what is asked counts where the offering leaves it open."""
        if not offering.customized:
            if asked is not None and asked != offering.size:
                raise InvalidParameterValue(f"Disk offering {offering.name} does not allow custom size")
            return offering.size
        if asked is None:
            raise InvalidParameterValue(f"size must be given: disk offering {offering.name} is customized")
        custom_bytes_of(-(-asked // GIB), self._settings)
        return asked

    def _offering(self, offering_id: str, zone: Zone) -> DiskOffering:
        offering = self._offerings.get(offering_id)
        if offering is None or offering.state != "Active":
            raise InvalidParameterValue(f"Unable to find disk offering {offering_id}")
        if offering.zone_ids and zone.id not in offering.zone_ids:
            raise InvalidParameterValue(f"Disk offering {offering.name} is not offered in zone {zone.name}")
        check_unencrypted(offering)
        return offering


def _of_extension(
    template: Template, override_id: str | None, size: int | None, data: tuple[DataDisk, ...]
) -> DiskPlan:
    """No disks: those of the instance are its extension's matter."""
    if override_id is not None or size is not None or data:
        raise InvalidParameterValue(
            f"An extension sees to the disks of instances of template {template.name}: diskofferingid, rootdisksize, "
            "overridediskofferingid and datadisksdetails are for others"
        )
    return DiskPlan(None)


def _root_offering(service: ServiceOffering, override_id: str | None) -> str | None:
    """The id of the disk offering that root disks are of: what is asked for, unless the service offering is strict."""
    own = service.details.get(ROOT_OFFERING)
    if own is not None and override_id not in (None, own) and STRICT in service.details:
        raise InvalidParameterValue(
            f"Service offering {service.name} is strict about its disk offering: overridediskofferingid is not taken"
        )
    return override_id or own


def _iops(offering: DiskOffering | DiskTraits, called: str, low: int | None, high: int | None) -> Iops:
    """The least and the most IOPS of a disk of that offering."""
    if not offering.customized_iops:
        if low is not None or high is not None:
            raise InvalidParameterValue(f"{called} does not take miniops and maxiops")
        return offering.min_iops, offering.max_iops
    return checked_iops(low, high)


def checked_iops(low: int | None, high: int | None) -> Iops:
    """What a caller asks of IOPS. Raises InvalidParameterValue for what contradicts itself."""
    if any(value is not None and value < 0 for value in (low, high)):
        raise InvalidParameterValue("miniops and maxiops must not be negative")
    if low is not None and high is not None and low > high:
        raise InvalidParameterValue(
            f"The Min IOPS must be less than or equal to the Max IOPS: they are {low} and {high}"
        )
    return low, high
