"""Volumes, snapshots, templates, and the operating systems they hold."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from cloudsim.store import Keys, Row


class GuestOsCategory(Row, frozen=True, kw_only=True):
    """A family of guest operating systems."""

    keys: ClassVar[Keys] = Keys(unique=("name",))

    name: str
    featured: bool = True
    sort_key: int = 0


class GuestOs(Row, frozen=True, kw_only=True):
    """A guest operating system that a template may be said to hold. `display`: whether users see it in lists."""

    keys: ClassVar[Keys] = Keys(indexes=("category_id",), unique=("description",))

    description: str
    category_id: str
    name: str | None = None
    is_user_defined: bool = False
    display: bool = True


class DiskOffering(Row, frozen=True, kw_only=True):
    """The size and kind of a data disk; a customized one leaves the size to the caller."""

    keys: ClassVar[Keys] = Keys(indexes=("name",))

    name: str
    display_text: str
    size: int = 0
    customized: bool = False
    storage_type: Literal["shared", "local"] = "shared"
    provisioning_type: Literal["thin", "sparse", "fat"] = "thin"
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
    cache_mode: Literal["none", "writeback", "writethrough", "hypervisor_default"] | None = None
    disk_size_strictness: bool = False
    encrypt: bool = False
    display: bool = True
    domain_ids: tuple[str, ...] = ()
    zone_ids: tuple[str, ...] = ()
    state: Literal["Active", "Inactive"] = "Active"
    sort_key: int = 0
    created: float = 0.0


class Template(Row, frozen=True, kw_only=True):
    """A disk image that instances start from, or an ISO (format "ISO").

    `extension_id`: no image, but what the extension makes instances from; such a template is in every zone.
    `tag`: of the hosts that its instances may be on. `removed`: when it was deleted; the row stays while it is in use.
    """

    keys: ClassVar[Keys] = Keys(indexes=("account_id", "name", "extension_id"))

    name: str
    display_text: str
    account_id: str
    domain_id: str
    format: str
    hypervisor: str
    guest_os_id: str
    type: Literal["SYSTEM", "BUILTIN", "USER", "ROUTING", "PERHOST"] = "USER"
    url: str | None = None
    checksum: str | None = None
    size: int = 0
    is_public: bool = False
    is_featured: bool = False
    is_extractable: bool = False
    cross_zones: bool = False
    bootable: bool = True
    password_enabled: bool = False
    ssh_key_enabled: bool = False
    requires_hvm: bool = True
    dynamically_scalable: bool = False
    direct_download: bool = False
    deploy_as_is: bool = False
    bits: int = 64
    arch: str = "x86_64"
    user_data_id: str | None = None
    user_data_policy: str | None = None
    source_template_id: str | None = None
    extension_id: str | None = None
    tag: str | None = None
    removed: float | None = None
    shared_with: tuple[str, ...] = ()
    state: Literal["Active", "Inactive"] = "Active"
    sort_key: int = 0
    created: float = 0.0
    details: dict[str, str] = {}


class TemplateOnStore(Row, frozen=True, kw_only=True):
    """A template's copy in a zone's secondary storage."""

    keys: ClassVar[Keys] = Keys(
        indexes=("template_id", "store_id", "zone_id"), unique=(("template_id", "store_id"),)
    )

    template_id: str
    store_id: str
    zone_id: str
    state: Literal["Allocated", "Creating", "Ready", "Destroying", "Failed"] = "Allocated"
    download_state: str = "NOT_DOWNLOADED"
    download_percent: int = 0
    error: str | None = None
    path: str = ""
    size: int = 0
    physical_size: int = 0
    created: float = 0.0


class TemplateOnPool(Row, frozen=True, kw_only=True):
    """A template's copy on a primary storage pool, from which volumes are cloned."""

    keys: ClassVar[Keys] = Keys(indexes=("template_id", "pool_id"), unique=(("template_id", "pool_id"),))

    template_id: str
    pool_id: str
    state: Literal["Creating", "Ready", "Unknown"] = "Creating"
    path: str = ""
    size: int = 0


class VolumeOnStore(Row, frozen=True, kw_only=True):
    """The file in secondary storage of a volume that was uploaded, until it is on a pool. `path` "": not there yet."""

    keys: ClassVar[Keys] = Keys(indexes=("store_id", "zone_id"), unique=("volume_id",))

    volume_id: str
    store_id: str
    zone_id: str
    format: str
    url: str | None = None
    checksum: str | None = None
    path: str = ""
    size: int = 0
    physical_size: int = 0
    error: str | None = None
    created: float = 0.0


class Volume(Row, frozen=True, kw_only=True):
    """A disk. Allocated until it is first needed, then Ready on a pool.

    UploadOp: its file is being fetched. NotUploaded, UploadInProgress: its file is to be sent, is being sent.
    `backup_id`: until it is on a pool, the backup whose disk `backup_disk` it is to hold.
    """

    keys: ClassVar[Keys] = Keys(indexes=("vm_id", "pool_id", "account_id", "zone_id", "state", "backup_id"))

    name: str
    account_id: str
    domain_id: str
    zone_id: str
    type: Literal["ROOT", "DATADISK"]
    size: int
    state: Literal[
        "Allocated",
        "Creating",
        "Ready",
        "Migrating",
        "Snapshotting",
        "RevertSnapshotting",
        "Resizing",
        "Attaching",
        "Expunging",
        "Expunged",
        "Destroy",
        "UploadOp",
        "NotUploaded",
        "UploadInProgress",
        "Uploaded",
        "UploadError",
        "UploadAbandoned",
    ] = "Allocated"
    pool_id: str | None = None
    path: str | None = None
    vm_id: str | None = None
    device_id: int | None = None
    attached: float | None = None
    template_id: str | None = None
    snapshot_id: str | None = None
    backup_id: str | None = None
    backup_disk: str | None = None
    disk_offering_id: str | None = None
    service_offering_id: str | None = None
    provisioning_type: str = "thin"
    min_iops: int | None = None
    max_iops: int | None = None
    display: bool = True
    is_extractable: bool = True
    delete_protection: bool = False
    created: float = 0.0


class Snapshot(Row, frozen=True, kw_only=True):
    """A volume's content at one time, kept in secondary storage."""

    keys: ClassVar[Keys] = Keys(indexes=("volume_id", "account_id", "zone_id", "policy_id"))

    name: str
    volume_id: str
    volume_type: str
    account_id: str
    domain_id: str
    zone_id: str
    size: int
    template_id: str | None = None
    guest_os_id: str | None = None
    policy_id: str | None = None
    type: Literal["MANUAL", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"] = "MANUAL"
    location_type: Literal["PRIMARY", "SECONDARY"] = "SECONDARY"
    state: Literal[
        "Allocated", "Creating", "CreatedOnPrimary", "BackingUp", "BackedUp", "Destroying", "Error"
    ] = "Allocated"
    store_id: str | None = None
    pool_id: str | None = None
    path: str | None = None
    physical_size: int = 0
    created: float = 0.0


class VolumeSample(msgspec.Struct, frozen=True, array_like=True):
    """What was read and written of a volume since the sample before."""

    at: float
    read_bytes: int
    write_bytes: int
    read_ios: int
    write_ios: int


class VolumeUsage(Row, frozen=True, kw_only=True):
    """Some samples of what was read and written of a volume, one after the other, from `begun` on."""

    keys: ClassVar[Keys] = Keys(indexes=("volume_id",))

    volume_id: str
    begun: float
    samples: tuple[VolumeSample, ...]


class VolumeStatistics(Row, frozen=True, kw_only=True):
    """What was read and written of a volume in all, as far as it was `measured`."""

    keys: ClassVar[Keys] = Keys(unique=("volume_id",))

    volume_id: str
    read_bytes: int = 0
    write_bytes: int = 0
    read_ios: int = 0
    write_ios: int = 0
    measured: float = 0.0


class SnapshotPolicy(Row, frozen=True, kw_only=True):
    """When to snapshot a volume. `interval` 0 hourly, 1 daily, 2 weekly, 3 monthly; `schedule` as the API writes it."""

    keys: ClassVar[Keys] = Keys(indexes=("volume_id",), unique=(("volume_id", "interval"),))

    volume_id: str
    interval: int
    schedule: str
    timezone: str
    max_snapshots: int
    next_run: float = 0.0
    display: bool = True
    created: float = 0.0
