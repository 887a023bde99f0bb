"""What becomes of the disks and NICs of an instance that is taken in: which pool, which network, which address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_traits import check_unencrypted
from cloudsim.management.compute.unmanaged import Found
from cloudsim.management.compute.vm_allocation import Allocation
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.vlans import vlan_number
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.volume_attachment import CDROM_DEVICE
from cloudsim.model import Account, DiskOffering, Network, Nic, ServiceOffering, StoragePool, Volume
from cloudsim.protocol.specs import UnmanagedDisk, UnmanagedNic

AUTO = "auto"
"""Instead of an address: a free one."""


class ImportedDisk(NamedTuple):
    """A disk with the pool that it lies on, the slot that it takes, and for a data disk its offering."""

    disk: UnmanagedDisk
    pool: StoragePool
    device: int
    offering: DiskOffering | None = None


class ImportedNic(NamedTuple):
    """A NIC's network and addresses; `mac` None for another than it has now, `ip` None for a free one or none."""

    network: Network
    mac: str | None
    ip: str | None


class ImportPlans:
    """Checks what an unmanaged instance has against what the cloud has."""

    def __init__(self, foundation: Foundation, allocation: Allocation, disks: Disks, nics: Nics) -> None:
        self._allocation = allocation
        self._disks = disks
        self._give = nics
        self._pools = foundation.table(StoragePool)
        self._volumes = foundation.table(Volume)
        self._networks = foundation.table(Network)
        self._nics = foundation.table(Nic)
        self._disk_offerings = foundation.table(DiskOffering)

    # disks

    def disks(
        self,
        found: Found,
        offering: ServiceOffering,
        disk_offerings: Mapping[str, str],
        *,
        mismatch: bool = False,
    ) -> list[ImportedDisk]:
        """The disks, root first: the one that has no disk offering. InvalidParameterValue for what does not fit."""
        instance = found.instance
        unknown = sorted(disk_offerings.keys() - {disk.label for disk in instance.disks})
        if unknown:
            raise InvalidParameterValue(f"Instance {instance.name} has no disk {', '.join(unknown)}")
        roots = [disk for disk in instance.disks if disk.label not in disk_offerings]
        if len(roots) != 1:
            raise InvalidParameterValue(
                f"Instance {instance.name} has {len(instance.disks)} disks: datadiskofferinglist must name an offering "
                "for each of them but the root disk"
            )
        planned = [self._root(found, roots[0], offering, mismatch)]
        taken = {0}
        for disk in sorted(instance.disks, key=lambda disk: disk.device):
            if disk is roots[0]:
                continue
            device = disk.device
            if device in taken or device == CDROM_DEVICE:
                device = next(n for n in range(1, 1 << 16) if n not in taken and n != CDROM_DEVICE)
            taken.add(device)
            planned.append(self._data(found, disk, device, disk_offerings[disk.label], mismatch))
        return planned

    def _root(
        self, found: Found, disk: UnmanagedDisk, offering: ServiceOffering, mismatch: bool
    ) -> ImportedDisk:
        pool = self._pool(found, disk)
        if not mismatch:
            local = offering.storage_type == "local"
            self._check_pool(disk, pool, offering.name, offering.storage_tags, local)
        return ImportedDisk(disk, pool, 0)

    def _data(
        self, found: Found, disk: UnmanagedDisk, device: int, offering_id: str, mismatch: bool
    ) -> ImportedDisk:
        pool = self._pool(found, disk)
        offering = self._disk_offerings.get(offering_id)
        if offering is None or offering.state != "Active":
            raise InvalidParameterValue(f"Unable to find disk offering {offering_id} for disk {disk.label}")
        if offering.zone_ids and found.host.zone_id not in offering.zone_ids:
            raise InvalidParameterValue(f"Disk offering {offering.name} is not offered in the zone")
        check_unencrypted(offering)
        if not offering.customized and offering.size < disk.size:
            raise InvalidParameterValue(
                f"Disk {disk.label} has {disk.size} bytes, more than disk offering {offering.name} of {offering.size}"
            )
        if not mismatch:
            self._check_pool(disk, pool, offering.name, offering.tags, offering.storage_type == "local")
        return ImportedDisk(disk, pool, device, offering)

    def _pool(self, found: Found, disk: UnmanagedDisk) -> StoragePool:
        pool = self._pools.get(disk.pool_id)
        if pool is None or not disk.pool_path:
            raise InvalidParameterValue(
                f"Disk {disk.label} of instance {found.instance.name} is at {disk.path}, "
                "which is on no storage pool of the cloud"
            )
        if pool.state != "Up" or not self._disks.reach.reaches(found.host, pool):
            raise InvalidParameterValue(
                f"Disk {disk.label} is on storage pool {pool.name}, which is {pool.state} "
                f"and must be one that host {found.host.name} reaches"
            )
        if disk.size <= 0:
            raise InvalidParameterValue(f"The size of disk {disk.label} at {disk.path} is not known")
        for volume in self._volumes.where("pool_id", pool.id):
            if disk.pool_path in (volume.path, volume.id):
                raise InvalidParameterValue(f"Disk {disk.label} at {disk.path} is volume {volume.name} already")
        return pool

    def _check_pool(
        self, disk: UnmanagedDisk, pool: StoragePool, offering: str, tags: tuple[str, ...], local: bool
    ) -> None:
        if not set(tags) <= set(pool.tags):
            raise InvalidParameterValue(
                f"Offering {offering} wants storage with tags {', '.join(tags)}, which pool {pool.name} "
                f"of disk {disk.label} lacks"
            )
        if local != (pool.scope == "HOST"):
            raise InvalidParameterValue(
                f"Offering {offering} wants {'local' if local else 'shared'} storage, which pool {pool.name} "
                f"of disk {disk.label} is not"
            )

    # NICs

    def nics(
        self,
        found: Found,
        owner: Account,
        networks: Mapping[str, str],
        addresses: Mapping[str, str],
        *,
        forced: bool = False,
    ) -> list[ImportedNic]:
        """The NICs in the instance's order. InvalidParameterValue for what does not fit."""
        instance = found.instance
        unknown = sorted({*networks, *addresses} - {nic.label for nic in instance.nics})
        if unknown:
            raise InvalidParameterValue(f"Instance {instance.name} has no NIC {', '.join(unknown)}")
        planned: list[ImportedNic] = []
        for nic in instance.nics:
            network = self._network(found, nic, networks.get(nic.label))
            self._allocation.check_network(network, owner)
            if any(network.id == other.network.id for other in planned):
                raise InvalidParameterValue(
                    f"NIC {nic.label} of instance {instance.name} would be its second on network {network.name}"
                )
            ip = self._address(nic, network, addresses.get(nic.label))
            planned.append(ImportedNic(network, self._mac(nic, forced), ip))
        return planned

    def _network(self, found: Found, nic: UnmanagedNic, wanted: str | None) -> Network:
        zone_id, number = found.host.zone_id, vlan_number(nic.vlan)
        if wanted is None:
            if number is not None:
                for network in self._networks.where("zone_id", zone_id):
                    if vlan_number(network.vlan) == number:
                        return network
            raise InvalidParameterValue(
                f"NIC {nic.label} of instance {found.instance.name} is on {nic.bridge or 'no bridge'}, VLAN "
                f"{nic.vlan or 'none'}, which is no network's: name one in nicnetworklist"
            )
        network_ = self._networks.get(wanted)
        if network_ is None or network_.zone_id != zone_id:
            raise InvalidParameterValue(f"Unable to find network {wanted} for NIC {nic.label} in the zone")
        if number is not None and vlan_number(network_.vlan) != number:
            raise InvalidParameterValue(
                f"VLAN {nic.vlan} of NIC {nic.label} is not that of network {network_.name}, "
                f"which is {network_.vlan or 'none'}"
            )
        return network_

    def _address(self, nic: UnmanagedNic, network: Network, wanted: str | None) -> str | None:
        """The address to ask for, which is free now; None for any, or on a network without addresses."""
        if network.cidr is not None and not wanted:
            raise InvalidParameterValue(
                f"NIC {nic.label} needs its address on network {network.name}: name it, or {AUTO}, in nicipaddresslist"
            )
        ip = None if wanted is None or wanted.lower() == AUTO else wanted
        self._give.address(network, ip)
        return ip

    def _mac(self, nic: UnmanagedNic, forced: bool) -> str | None:
        mac = nic.mac.lower()
        other = self._nics.find("mac", mac)
        if other is None:
            return self._allocation.checked_mac(mac)
        if not forced:
            raise InvalidParameterValue(f"Mac address {mac} of NIC {nic.label} is in use already")
        return None
