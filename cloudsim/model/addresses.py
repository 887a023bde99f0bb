"""Who provides a physical network's services, and the addresses that a zone and its pods give out."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row

ProviderState = Literal["Enabled", "Disabled", "Shutdown"]


class NetworkServiceProvider(Row, frozen=True, kw_only=True):
    """Who may provide services (`VirtualRouter`, ...) to guest networks on a physical network."""

    keys: ClassVar[Keys] = Keys(indexes=("physical_network_id",), unique=(("physical_network_id", "name"),))

    physical_network_id: str
    name: str
    services: tuple[str, ...] = ()
    state: ProviderState = "Disabled"


class VirtualRouterElement(Row, frozen=True, kw_only=True):
    """What deploys the system VMs of a provider: routers, VPC routers, internal load balancers."""

    keys: ClassVar[Keys] = Keys(unique=("provider_id",))

    provider_id: str
    kind: Literal["VirtualRouter", "VpcVirtualRouter", "InternalLbVm"]
    enabled: bool = False


class IpRange(Row, frozen=True, kw_only=True):
    """A VLAN's addresses, `start_ip` to `end_ip`.

    Public ones (`public`) are acquired by accounts and taken by system VMs; others belong to the shared guest
    network `network_id`. `account_id` or `domain_id`: dedicated to that account or domain. `vlan` None: untagged.
    One with `ip6_cidr` has IPv6 addresses, all of that subnet or `start_ip6` to `end_ip6`; besides IPv4 ones, or alone.
    """

    keys: ClassVar[Keys] = Keys(indexes=("zone_id", "physical_network_id", "network_id"), unique=())

    zone_id: str
    gateway: str = ""
    netmask: str = ""
    start_ip: str = ""
    """Empty, as the three others, where the range has no IPv4 addresses."""
    end_ip: str = ""
    ip6_gateway: str | None = None
    ip6_cidr: str | None = None
    start_ip6: str | None = None
    end_ip6: str | None = None
    physical_network_id: str | None = None
    network_id: str | None = None
    pod_id: str | None = None
    vlan: str | None = None
    public: bool = True
    account_id: str | None = None
    domain_id: str | None = None
    for_system_vms: bool = False
    created: float = 0.0

    @property
    def span(self) -> str:
        """Its addresses in words, such as 192.0.2.10-192.0.2.19 or 2001:db8::/64."""
        six = f"{self.start_ip6}-{self.end_ip6}" if self.start_ip6 else self.ip6_cidr
        four = f"{self.start_ip}-{self.end_ip}" if self.start_ip else None
        return ", ".join(filter(None, (four, six)))


class PortableIpRange(Row, frozen=True, kw_only=True):
    """Public addresses of a region (`region`: its number), `start_ip` to `end_ip`, that belong to no zone.

    Each goes to a network or VPC of any zone, and may move on to another. `vlan` None: untagged.
    """

    keys: ClassVar[Keys] = Keys(indexes=("region",))

    region: int
    gateway: str
    netmask: str
    start_ip: str
    end_ip: str
    vlan: str | None = None
    created: float = 0.0


class PublicIp(Row, frozen=True, kw_only=True):
    """A public address that is in use: acquired by an account, or `system`: a system VM's. Free ones have no row.

    It belongs to the network `network_id`, or as long as no network uses it to the VPC `vpc_id`; Reserved: to neither
    yet. `source_nat`: what its network's (VPC's) guests are seen as outside. Static NAT: it is `static_nat_ip` of
    instance `static_nat_vm_id`. `portable`: its range is a PortableIpRange, and its zone that of its network or VPC.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("zone_id", "range_id", "account_id", "network_id", "vpc_id", "static_nat_vm_id"),
        unique=(("zone_id", "ip"),),
    )

    ip: str
    zone_id: str
    range_id: str
    account_id: str
    domain_id: str
    network_id: str | None = None
    vpc_id: str | None = None
    state: Literal["Allocating", "Allocated", "Releasing", "Reserved"] = "Allocated"
    source_nat: bool = False
    static_nat_vm_id: str | None = None
    static_nat_ip: str | None = None
    system: bool = False
    display: bool = True
    allocated: float = 0.0
    portable: bool = False


class QuarantinedIp(Row, frozen=True, kw_only=True):
    """A public address that account `previous_owner_id` gave back: `until` then, unless `removed`, no other gets it.

    `public_ip_id` is the id that the address has when it is in use.
    """

    keys: ClassVar[Keys] = Keys(indexes=("range_id", "ip"), unique=("public_ip_id",))

    public_ip_id: str
    ip: str
    range_id: str
    previous_owner_id: str
    previous_domain_id: str
    created: float
    until: float
    removed: float | None = None
    removal_reason: str | None = None
    remover_id: str | None = None


class PublicIpv6(Row, frozen=True, kw_only=True):
    """The IPv6 address of a router's outside, of the network `network_id` or the VPC `vpc_id`: upstream routers send
    there what is for their subnets. It stays the same as long as there is the network."""

    keys: ClassVar[Keys] = Keys(
        indexes=("range_id", "account_id"), unique=("network_id", "vpc_id", ("zone_id", "ip"))
    )

    ip: str
    zone_id: str
    range_id: str
    account_id: str
    domain_id: str
    network_id: str | None = None
    vpc_id: str | None = None
    allocated: float = 0.0


class GuestIpv6Prefix(Row, frozen=True, kw_only=True):
    """IPv6 addresses of a zone, such as 2001:db8::/56, of which guest networks get subnets of 64 bits."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id",), unique=())

    zone_id: str
    prefix: str
    created: float = 0.0


class GuestIpv6Subnet(Row, frozen=True, kw_only=True):
    """The `number`-th subnet of 64 bits of a prefix, which is that of a guest network."""

    keys: ClassVar[Keys] = Keys(indexes=("prefix_id",), unique=("network_id", ("prefix_id", "number")))

    prefix_id: str
    number: int
    network_id: str


class PodIp(Row, frozen=True, kw_only=True):
    """An address of a pod's management ranges that a system VM's NIC has, or (`number`) that somebody asked for by API."""

    keys: ClassVar[Keys] = Keys(indexes=("pod_id", "vm_id"), unique=(("pod_id", "ip"), "number"))

    pod_id: str
    ip: str
    vm_id: str = ""
    number: int | None = None


class PodIpRange(Row, frozen=True, kw_only=True):
    """More management addresses of a pod, of the pod's subnet; its own are in its row."""

    keys: ClassVar[Keys] = Keys(indexes=("pod_id",), unique=())

    pod_id: str
    start_ip: str
    end_ip: str
    vlan: str | None = None
    for_system_vms: bool = False


class GuestVlanRange(Row, frozen=True, kw_only=True):
    """VLAN ids `first` to `last` of a physical network that only one account's guest networks get."""

    keys: ClassVar[Keys] = Keys(indexes=("physical_network_id", "account_id"), unique=())

    physical_network_id: str
    account_id: str
    domain_id: str
    first: int
    last: int


class StorageIpRange(Row, frozen=True, kw_only=True):
    """A pod's addresses on the storage network."""

    keys: ClassVar[Keys] = Keys(indexes=("pod_id", "zone_id"), unique=())

    zone_id: str
    pod_id: str
    gateway: str
    netmask: str
    start_ip: str
    end_ip: str
    vlan: str | None = None
