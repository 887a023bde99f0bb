"""Guest networks and the NICs on them."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from cloudsim.store import Keys, Row


class PhysicalNetwork(Row, frozen=True, kw_only=True):
    """A zone's wire, with the VLAN ids that guest networks may use on it."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id",), unique=(("zone_id", "name"),))

    name: str
    zone_id: str
    vlan: str = ""
    isolation_methods: tuple[str, ...] = ("VLAN",)
    broadcast_domain_range: str = "ZONE"
    network_speed: str | None = None
    tags: tuple[str, ...] = ()
    state: Literal["Enabled", "Disabled"] = "Disabled"


class TrafficType(Row, frozen=True, kw_only=True):
    """A kind of traffic that a physical network carries."""

    keys: ClassVar[Keys] = Keys(
        indexes=("physical_network_id",), unique=(("physical_network_id", "traffic_type"),)
    )

    physical_network_id: str
    traffic_type: Literal["Guest", "Public", "Management", "Storage", "Control"]
    labels: dict[str, str] = {}


class NetworkOffering(Row, frozen=True, kw_only=True):
    """What a network made from it provides: service name -> providers.

    `capabilities` are those that were chosen where a service has several ways: service name -> name -> value. Without
    `domain_ids` (`zone_ids`) it is for all. `tags` name physical networks. `max_connections` and `keep_alive` are of its
    load balancer.
    """

    keys: ClassVar[Keys] = Keys(unique=("name",))

    name: str
    display_text: str
    guest_type: Literal["Isolated", "Shared", "L2"]
    traffic_type: str = "Guest"
    services: dict[str, tuple[str, ...]] = {}
    for_vpc: bool = False
    is_default: bool = False
    specify_vlan: bool = False
    specify_ip_ranges: bool = False
    conserve_mode: bool = True
    egress_default_policy: bool = False
    persistent: bool = False
    network_rate: int | None = None
    availability: Literal["Optional", "Required"] = "Optional"
    service_offering_id: str | None = None
    capabilities: dict[str, dict[str, str]] = {}
    tags: tuple[str, ...] = ()
    domain_ids: tuple[str, ...] = ()
    zone_ids: tuple[str, ...] = ()
    max_connections: int | None = None
    keep_alive: bool = False
    state: Literal["Enabled", "Disabled", "Inactive"] = "Enabled"
    sort_key: int = 0
    created: float = 0.0
    details: dict[str, str] = {}
    internet_protocol: Literal["IPv4", "DualStack"] = "IPv4"


class NetworkMove(msgspec.Struct, frozen=True):
    """A network that is being moved: the VLAN that it had, of that kind, and the NICs that are still in it."""

    physical_network_id: str | None
    vlan: str
    isolation: Literal["VLAN", "VXLAN"]
    nics: tuple[str, ...]


class Network(Row, frozen=True, kw_only=True):
    """A layer-2 segment with, unless it is L2, an address range. The zone's `is_default` one serves deploys that name none.

    A tier of the VPC `vpc_id` has an access control list, `acl_id` (None: nothing comes in, all goes out).
    One of a domain (`acl_type`) is also for the domains below where `subdomain_access` says so.
    Networks whose traffic is not Guest are the zone's own: the NICs of its system VMs are on them.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("zone_id", "account_id", "physical_network_id", "vpc_id", "acl_id", ("zone_id", "traffic_type")),
        unique=(),
    )

    name: str
    display_text: str
    zone_id: str
    network_offering_id: str
    account_id: str
    domain_id: str
    physical_network_id: str | None = None
    guest_type: Literal["Isolated", "Shared", "L2"] = "Isolated"
    traffic_type: str = "Guest"
    cidr: str | None = None
    network_cidr: str | None = None
    """The whole subnet, where instances have only the part `cidr` of it."""
    gateway: str | None = None
    netmask: str | None = None
    start_ip: str | None = None
    end_ip: str | None = None
    vlan: str | None = None
    network_domain: str | None = None
    acl_type: Literal["Account", "Domain"] = "Account"
    subdomain_access: bool = True
    is_default: bool = False
    state: Literal["Allocated", "Setup", "Implementing", "Implemented", "Shutdown", "Destroy"] = "Allocated"
    display: bool = True
    restart_required: bool = False
    vpc_id: str | None = None
    acl_id: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    created: float = 0.0
    ip6_cidr: str | None = None
    """Its IPv6 subnet of 64 bits: a shared network's is its ranges', an isolated one's of a prefix of the zone."""
    ip6_gateway: str | None = None
    external_id: str | None = None
    """What another system calls it."""
    router_ip: str | None = None
    """Where its router is to be, in a shared network."""
    public_mtu: int | None = None
    private_mtu: int | None = None
    """Bytes of the packets of its router's interfaces outside and inside; guests are told the one inside."""
    hides_address_usage: bool = False
    """Whether the use of its public addresses is counted for nobody."""
    move: NetworkMove | None = None


class NetworkPermission(Row, frozen=True, kw_only=True):
    """The network is its owner's, and this account may use it too."""

    keys: ClassVar[Keys] = Keys(indexes=("network_id", "account_id"), unique=(("network_id", "account_id"),))

    network_id: str
    account_id: str
    created: float = 0.0


class Nic(Row, frozen=True, kw_only=True):
    """An instance's connection to a network. `ip` is unique in its network, `mac` everywhere.

    `ip6` is an IPv6 address that was asked for; without one it has, on a network with an IPv6 subnet, that of its MAC.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("vm_id", "network_id"), unique=("mac", ("network_id", "ip"), ("network_id", "ip6"))
    )

    vm_id: str
    network_id: str
    mac: str
    ip: str | None = None
    device_id: int = 0
    is_default: bool = True
    secondary_ips: tuple[tuple[str, str], ...] = ()
    dhcp_options: dict[str, str] = {}
    """Further options of its lease: value by number."""
    created: float = 0.0
    ip6: str | None = None
