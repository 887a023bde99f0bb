"""Virtual private clouds: tiers behind one router, and the access control lists between them."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row


class VpcOffering(Row, frozen=True, kw_only=True):
    """What a VPC made from it provides: service name -> providers."""

    keys: ClassVar[Keys] = Keys(unique=("name",))

    name: str
    display_text: str
    services: dict[str, tuple[str, ...]] = {}
    state: Literal["Enabled", "Disabled"] = "Disabled"
    is_default: bool = False
    distributed_router: bool = False
    region_level: bool = False
    service_offering_id: str | None = None
    zone_ids: tuple[str, ...] = ()
    domain_ids: tuple[str, ...] = ()
    created: float = 0.0
    sort_key: int = 0
    internet_protocol: Literal["IPv4", "DualStack"] = "IPv4"


class Vpc(Row, frozen=True, kw_only=True):
    """A private cloud: a supernet `cidr` whose tiers (Networks with its `vpc_id`) share one router."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id", "account_id", "vpc_offering_id"), unique=())

    name: str
    display_text: str
    zone_id: str
    account_id: str
    domain_id: str
    vpc_offering_id: str
    cidr: str
    network_domain: str | None = None
    state: Literal["Enabled", "Inactive"] = "Enabled"
    started: bool = False
    """Whether its router has been asked for; a tier's first instance does so too."""
    restart_required: bool = False
    display: bool = True
    public_mtu: int | None = None
    dns1: str | None = None
    dns2: str | None = None
    created: float = 0.0


class NetworkAclList(Row, frozen=True, kw_only=True):
    """An ordered list of access control rules; `default_allow`, `default_deny` and global ones belong to no VPC."""

    keys: ClassVar[Keys] = Keys(indexes=("vpc_id",), unique=())

    name: str
    description: str = ""
    vpc_id: str | None = None
    display: bool = True
    created: float = 0.0


class NetworkAcl(Row, frozen=True, kw_only=True):
    """One rule: the first in `number` order that matches decides.

    `protocol` is tcp, udp, icmp, all or an IP protocol number as text. Ports as in firewall rules.
    """

    keys: ClassVar[Keys] = Keys(indexes=("list_id",), unique=(("list_id", "number"),))

    list_id: str
    number: int
    protocol: str
    action: Literal["Allow", "Deny"] = "Allow"
    traffic_type: Literal["Ingress", "Egress"] = "Ingress"
    cidrs: tuple[str, ...] = ("0.0.0.0/0",)
    start_port: int | None = None
    end_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    reason: str | None = None
    state: Literal["Add", "Active", "Revoke"] = "Active"
    display: bool = True
    created: float = 0.0


class PrivateGateway(Row, frozen=True, kw_only=True):
    """A leg of a VPC's router in a VLAN outside of the cloud."""

    keys: ClassVar[Keys] = Keys(indexes=("vpc_id", "zone_id"), unique=(("zone_id", "vlan", "ip"),))

    vpc_id: str
    zone_id: str
    account_id: str
    domain_id: str
    ip: str
    gateway: str
    netmask: str
    vlan: str
    mac: str
    physical_network_id: str | None = None
    source_nat: bool = False
    acl_id: str | None = None
    network_offering_id: str | None = None
    state: Literal["Creating", "Ready", "Deleting"] = "Creating"
    created: float = 0.0


class StaticRoute(Row, frozen=True, kw_only=True):
    """Where the VPC's router sends packets for `cidr`: to `next_hop`, the far side of a private gateway."""

    keys: ClassVar[Keys] = Keys(indexes=("vpc_id", "gateway_id"), unique=(("vpc_id", "cidr"),))

    vpc_id: str
    cidr: str
    next_hop: str
    account_id: str
    domain_id: str
    gateway_id: str | None = None
    state: Literal["Add", "Active", "Revoke"] = "Add"
    created: float = 0.0
