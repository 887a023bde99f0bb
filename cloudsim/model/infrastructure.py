"""What a datacenter is made of, as an operator sees it: zone, pod, cluster, host, storage."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row

Allocation = Literal["Enabled", "Disabled"]


class Zone(Row, frozen=True, kw_only=True):
    """A datacenter; the unit that owns networks and secondary storage.

    An edge zone (`is_edge`) is a small one that spends nothing on itself: it gets no console proxy and no secondary storage VM.
    """

    keys: ClassVar[Keys] = Keys(unique=("name",))

    name: str
    network_type: Literal["Basic", "Advanced"]
    dns1: str
    internal_dns1: str
    dns2: str | None = None
    internal_dns2: str | None = None
    domain: str | None = None
    domain_id: str | None = None
    dns_search: tuple[str, ...] = ()
    """Domains that guests look for short names in, in this order."""
    guest_cidr: str | None = None
    security_groups: bool = False
    local_storage: bool = False
    is_edge: bool = False
    allocation_state: Allocation = "Disabled"
    dhcp_provider: str = "VirtualRouter"
    zone_token: str = ""
    sort_key: int = 0
    created: float = 0.0
    details: dict[str, str] = {}


class Pod(Row, frozen=True, kw_only=True):
    """A row of racks with one management address range."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id",), unique=(("zone_id", "name"),))

    name: str
    zone_id: str
    gateway: str
    netmask: str
    start_ip: str
    end_ip: str
    allocation_state: Allocation = "Enabled"
    created: float = 0.0


class Cluster(Row, frozen=True, kw_only=True):
    """Hosts of one hypervisor that share primary storage; in a simulated datacenter, a rack."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id", "pod_id"), unique=(("pod_id", "name"),))

    name: str
    zone_id: str
    pod_id: str
    hypervisor: str
    cluster_type: str = "CloudManaged"
    allocation_state: Allocation = "Enabled"
    managed_state: Literal["Managed", "Unmanaged"] = "Managed"
    arch: str = "x86_64"
    created: float = 0.0
    details: dict[str, str] = {}


class HypervisorCapabilities(Row, frozen=True, kw_only=True):
    """What a version of a hypervisor can do. The numbers are limits for one instance or one cluster.

    Stored once it differs from what is built in, see `management.infrastructure.hypervisor_types`.
    """

    keys: ClassVar[Keys] = Keys(unique=(("hypervisor", "version"),))

    hypervisor: str
    version: str
    max_guests: int
    max_data_volumes: int
    security_groups: bool = True
    storage_motion: bool = True
    vm_snapshots: bool = True
    max_hosts_per_cluster: int | None = None


class Host(Row, frozen=True, kw_only=True):
    """A machine that runs VMs, known by its agent.

    `cpu_mhz` is the speed of one core. `state` is what the agent connection shows, `resource_state`
    what the operator wants.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("zone_id", "pod_id", "cluster_id", "state"), unique=("guid", ("zone_id", "name"))
    )

    name: str
    guid: str
    zone_id: str
    pod_id: str
    cluster_id: str
    hypervisor: str
    url: str
    private_ip: str
    cpus: int
    cpu_mhz: int
    memory_mib: int
    gpus: int = 0
    gpu_model: str = ""
    local_storage: int = 0
    sockets: int = 1
    arch: str = "x86_64"
    hypervisor_version: str = ""
    version: str = ""
    tags: tuple[str, ...] = ()
    state: Literal["Creating", "Connecting", "Up", "Down", "Disconnected", "Alert", "Removed"] = "Creating"
    resource_state: Literal[
        "Enabled", "Disabled", "PrepareForMaintenance", "ErrorInMaintenance", "Maintenance", "Degraded"
    ] = "Enabled"
    last_pinged: float = 0.0
    disconnected: float | None = None
    created: float = 0.0
    details: dict[str, str] = {}


class OutOfBandManagement(Row, frozen=True, kw_only=True):
    """How a host's power is switched without its agent. `power_state` is what was last seen."""

    keys: ClassVar[Keys] = Keys(indexes=("enabled",), unique=("host_id",))

    host_id: str
    driver: str
    address: str
    port: int
    username: str
    password: str
    enabled: bool = False
    power_state: Literal["On", "Off", "Unknown", "Disabled"] = "Disabled"


class HostHa(Row, frozen=True, kw_only=True):
    """Whether a host is recovered and fenced when it fails, and how it stands with that, since `changed`."""

    keys: ClassVar[Keys] = Keys(indexes=("enabled",), unique=("host_id",))

    host_id: str
    provider: str
    enabled: bool = False
    state: Literal[
        "Disabled",
        "Ineligible",
        "Available",
        "Suspect",
        "Checking",
        "Degraded",
        "Recovering",
        "Recovered",
        "Fencing",
        "Fenced",
    ] = "Disabled"
    changed: float = 0.0


class Region(Row, frozen=True, kw_only=True):
    """A cloud that users are told of; `number` is what the API calls its id."""

    keys: ClassVar[Keys] = Keys(unique=("number", "name"))

    number: int
    name: str
    endpoint: str


class DedicatedResource(Row, frozen=True, kw_only=True):
    """A zone, pod, cluster or host that is an account's or, without one, a domain's and those' below.

    Instances go to dedicated hosts by being in the group; in a dedicated zone all the owner's may run.
    """

    keys: ClassVar[Keys] = Keys(indexes=("account_id", "domain_id", "affinity_group_id"), unique=("resource_id",))

    kind: Literal["Zone", "Pod", "Cluster", "Host"]
    resource_id: str
    domain_id: str
    account_id: str | None = None
    affinity_group_id: str


class StoragePool(Row, frozen=True, kw_only=True):
    """Primary storage: where volumes live. Scope CLUSTER has a cluster, HOST a host, ZONE neither."""

    keys: ClassVar[Keys] = Keys(
        indexes=("zone_id", "pod_id", "cluster_id", "host_id", ("zone_id", "scope")),
        unique=(("zone_id", "name"),),
    )

    name: str
    zone_id: str
    pod_id: str | None = None
    cluster_id: str | None = None
    host_id: str | None = None
    scope: Literal["ZONE", "CLUSTER", "HOST"] = "CLUSTER"
    type: str = "NetworkFilesystem"
    host_address: str = ""
    path: str = ""
    port: int = 2049
    capacity: int = 0
    used: int = 0
    state: Literal["Initialized", "Up", "Disabled", "PrepareForMaintenance", "Maintenance", "Removed"] = "Up"
    tags: tuple[str, ...] = ()
    provider: str = "DefaultPrimary"
    created: float = 0.0
    details: dict[str, str] = {}


class ImageStore(Row, frozen=True, kw_only=True):
    """Secondary storage: where templates, ISOs and snapshots are kept."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id",), unique=("name",))

    name: str
    url: str
    provider: str
    zone_id: str | None = None
    protocol: str = "nfs"
    read_only: bool = False
    capacity: int = 0
    used: int = 0
    created: float = 0.0
    details: dict[str, str] = {}
