"""How much an account has of what offerings with a tag give: instances by host tags, volumes by storage tags.

Limits for a tag hold besides those for all; which tags there are limits for, two settings say.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudsim.management.identity.limited_resources import Kind
from cloudsim.model import DiskOffering, ServiceOffering, VirtualMachine, Volume, VolumeOnStore
from cloudsim.model.compute import GONE
from cloudsim.store import Store

OF_HOSTS, OF_STORAGE = "resource.limit.host.tags", "resource.limit.storage.tags"
TAG_SETTINGS: dict[Kind, str] = {
    "user_vm": OF_HOSTS,
    "cpu": OF_HOSTS,
    "memory": OF_HOSTS,
    "gpu": OF_HOSTS,
    "volume": OF_STORAGE,
    "primary_storage": OF_STORAGE,
}
"""The kinds that there are limits by tags for, and the setting that names the tags."""

_DESTROYED = frozenset({"Destroy", "Expunging", "Expunged"})


def tags_named(text: str) -> tuple[str, ...]:
    """The tags of a setting: comma separated."""
    return tuple(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))


def volume_tags(store: Store, volume: Volume) -> tuple[str, ...]:
    """The storage tags of what a volume was made by: its disk offering, or its instance's service offering."""
    disk = store.table(DiskOffering).get(volume.disk_offering_id)
    if disk is not None:
        return disk.tags
    service = store.table(ServiceOffering).get(volume.service_offering_id)
    return service.storage_tags if service is not None else ()


def vm_tags(store: Store, vm: VirtualMachine) -> tuple[str, ...]:
    """The host tags of an instance's offering."""
    offering = store.table(ServiceOffering).get(vm.service_offering_id)
    return offering.host_tags if offering is not None else ()


def tagged_count(store: Store, account_id: str, kind: Kind, tag: str) -> int:
    """How much of a kind the account has by offerings with that tag; bytes of storage, MiB of memory."""
    if TAG_SETTINGS[kind] == OF_STORAGE:
        volumes = list(_volumes(store, account_id, tag))
        if kind == "volume":
            return len(volumes)
        uploaded = store.table(VolumeOnStore)  # on no primary storage yet
        return sum(volume.size for volume in volumes if uploaded.find("volume_id", volume.id) is None)
    vms = list(_vms(store, account_id, tag))
    if kind == "user_vm":
        return len(vms)
    amount = {"cpu": lambda vm: vm.cpus, "memory": lambda vm: vm.memory_mib, "gpu": lambda vm: vm.gpus}[kind]
    return sum(map(amount, vms))


def _vms(store: Store, account_id: str, tag: str) -> Iterator[VirtualMachine]:
    for vm in store.table(VirtualMachine).where("account_id", account_id):
        if vm.type == "User" and vm.state not in GONE and tag in vm_tags(store, vm):
            yield vm


def _volumes(store: Store, account_id: str, tag: str) -> Iterator[Volume]:
    for volume in store.table(Volume).where("account_id", account_id):
        if volume.state not in _DESTROYED and tag in volume_tags(store, volume):
            yield volume
