"""Backups of instances: where they are kept, what is offered, what was taken and when more is."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from cloudsim.store import Keys, Row


class BackupRepository(Row, frozen=True, kw_only=True):
    """A share or folder, reached by the hosts of its zone, where the nas provider keeps backups.

    `address` is host:/path of type nfs, /path of type filesystem. `capacity` 0: nobody said how large it is.
    """

    keys: ClassVar[Keys] = Keys(indexes=("zone_id",))

    name: str
    zone_id: str
    provider: str
    type: str
    address: str
    mount_options: str = ""
    capacity: int = 0
    cross_zone: bool = False
    created: float = 0.0


class BackupOffering(Row, frozen=True, kw_only=True):
    """A provider's way to back up that a zone's instances may have. `external_id` is what the provider calls it."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id", "external_id"))

    name: str
    description: str
    zone_id: str
    provider: str
    external_id: str
    user_driven: bool = True
    created: float = 0.0


class BackedUpVolume(msgspec.Struct, frozen=True):
    """A disk in a backup: what it was then, and the file that holds it. Sizes in bytes."""

    id: str
    name: str
    type: Literal["ROOT", "DATADISK"]
    device: int
    size: int
    disk_offering_id: str | None = None
    min_iops: int | None = None
    max_iops: int | None = None
    path: str = ""
    physical_size: int = 0


class Backup(Row, frozen=True, kw_only=True):
    """All disks of an instance at one moment, kept in a repository or in secondary storage (`store_id`).

    The instance may be gone: `vm_name` and `vm_details` say what it was.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("account_id", "zone_id", "vm_id", "offering_id", "schedule_id", "repository_id", "store_id")
    )

    name: str
    account_id: str
    domain_id: str
    zone_id: str
    vm_id: str
    vm_name: str
    offering_id: str
    description: str | None = None
    schedule_id: str | None = None
    interval: Literal["MANUAL", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"] = "MANUAL"
    state: Literal["Allocated", "BackingUp", "BackedUp", "Restoring", "Removing"] = "Allocated"
    repository_id: str | None = None
    store_id: str | None = None
    volumes: tuple[BackedUpVolume, ...] = ()
    size: int = 0
    vm_details: dict[str, str] = {}
    created: float = 0.0


class BackupSchedule(Row, frozen=True, kw_only=True):
    """When to back an instance up. `interval`, `schedule` and `timezone` as of a SnapshotPolicy; `max_backups` 0: all."""

    keys: ClassVar[Keys] = Keys(indexes=("vm_id",), unique=(("vm_id", "interval"),))

    vm_id: str
    interval: int
    schedule: str
    timezone: str
    max_backups: int = 0
    quiesce: bool = False
    next_run: float = 0.0
    created: float = 0.0
