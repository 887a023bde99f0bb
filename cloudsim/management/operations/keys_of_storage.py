"""Configuration keys of volumes, snapshots, templates and of the pools they are on."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_key import ConfigurationKey as key


def _check_threshold(value: str) -> None:
    if value and not (value.isascii() and value.isdigit() and int(value) > 0):
        raise InvalidParameterValue(f"it takes a whole number from 1, or nothing for no limit, not {value!r}")


OF_STORAGE: tuple[key, ...] = (
    key(
        "custom.diskoffering.size.min",
        "1",
        "integer",
        "GiB of the smallest disk where an offering leaves the size open",
        minimum=1,
    ),
    key(
        "custom.diskoffering.size.max",
        "1024",
        "integer",
        "GiB of the largest disk where an offering leaves the size open",
        minimum=1,
    ),
    key("storage.max.volume.size", "2000", "integer", "GiB of the largest volume", minimum=1),
    key(
        "cluster.storage.operations.exclude",
        "false",
        "boolean",
        "Whether work on storage that hosts of other clusters reach, too, is left to those",
        scopes=("Cluster",),
    ),
    key(
        "storage.cleanup.enabled",
        "true",
        "boolean",
        "Whether destroyed volumes and deleted templates are removed for good by themselves",
    ),
    key(
        "pool.storage.capacity.disablethreshold",
        "0.85",
        "number",
        "Share of used space above which a pool takes no new volume",
        scopes=("Zone", "StoragePool"),
        minimum=0,
        maximum=1,
    ),
    key(
        "concurrent.snapshots.threshold.perhost",
        "",
        "string",
        "Snapshots that a host takes at one time, while others wait; nothing for any number",
        checked_by=_check_threshold,
    ),
    key(
        "kvm.snapshot.enabled",
        "true",
        "boolean",
        "Whether snapshots are taken of the volumes of instances that run on KVM",
    ),
    key(
        "system.vm.use.local.storage",
        "false",
        "boolean",
        "Whether the disks of new system VMs are on the local storage of their hosts",
        scopes=("Zone",),
    ),
)
