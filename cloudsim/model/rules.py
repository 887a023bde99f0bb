"""Rules of guest networks: firewall, port forwarding, load balancing, security groups."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row

RuleState = Literal["Add", "Active", "Revoke"]
"""A rule that is not yet in force, one that is, and one that is being taken out of force."""


class FirewallRule(Row, frozen=True, kw_only=True):
    """Traffic let in to a public address (`Ingress`), or let out of or kept in a network (`Egress`).

    `protocol` is tcp, udp, icmp or all. `start_port` to `end_port`, or ICMP type and code (-1: any). Egress rules
    may also limit where to. `related_id`: the forwarding or load balancer rule that it was opened for. Only
    root admins delete `system` ones.
    """

    keys: ClassVar[Keys] = Keys(indexes=("public_ip_id", "network_id", "account_id", "related_id"), unique=())

    direction: Literal["Ingress", "Egress"]
    network_id: str
    account_id: str
    domain_id: str
    protocol: str
    public_ip_id: str | None = None
    start_port: int | None = None
    end_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    cidrs: tuple[str, ...] = ()
    destination_cidrs: tuple[str, ...] = ()
    related_id: str | None = None
    system: bool = False
    state: RuleState = "Add"
    display: bool = True
    created: float = 0.0


class Ipv6FirewallRule(Row, frozen=True, kw_only=True):
    """IPv6 traffic let in to a network (`Ingress`), or let out of it or kept in (`Egress`).

    As a FirewallRule, but from `cidrs` to `destination_cidrs` in both directions; neither are all addresses.
    ICMP is ICMPv6.
    """

    keys: ClassVar[Keys] = Keys(indexes=("network_id", "account_id"), unique=())

    direction: Literal["Ingress", "Egress"]
    network_id: str
    account_id: str
    domain_id: str
    protocol: str
    start_port: int | None = None
    end_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    cidrs: tuple[str, ...] = ()
    destination_cidrs: tuple[str, ...] = ()
    state: RuleState = "Add"
    display: bool = True
    created: float = 0.0


class PortForwardingRule(Row, frozen=True, kw_only=True):
    """Ports of a public address that lead to an instance. Both ranges have the same length."""

    keys: ClassVar[Keys] = Keys(indexes=("public_ip_id", "network_id", "account_id", "vm_id"), unique=())

    public_ip_id: str
    network_id: str
    account_id: str
    domain_id: str
    protocol: Literal["tcp", "udp"]
    public_start: int
    public_end: int
    private_start: int
    private_end: int
    vm_id: str
    guest_ip: str
    cidrs: tuple[str, ...] = ()
    state: RuleState = "Add"
    display: bool = True
    created: float = 0.0


class IpForwardingRule(Row, frozen=True, kw_only=True):
    """Ports of a static NAT address that are spoken for. Its traffic is let in by the firewall rule made with it."""

    keys: ClassVar[Keys] = Keys(indexes=("public_ip_id", "network_id", "account_id", "vm_id"), unique=())

    public_ip_id: str
    network_id: str
    account_id: str
    domain_id: str
    protocol: Literal["tcp", "udp"]
    start_port: int
    end_port: int
    vm_id: str
    guest_ip: str
    cidrs: tuple[str, ...] = ()
    state: RuleState = "Add"
    created: float = 0.0


class LoadBalancerRule(Row, frozen=True, kw_only=True):
    """A port that is spread over instances: of a public address, or (`Internal`) of `source_ip` in a VPC tier."""

    keys: ClassVar[Keys] = Keys(
        indexes=("public_ip_id", "network_id", "account_id", ("source_network_id", "source_ip")), unique=()
    )

    name: str
    network_id: str
    account_id: str
    domain_id: str
    public_port: int
    private_port: int
    algorithm: Literal["roundrobin", "leastconn", "source"] = "roundrobin"
    protocol: Literal["tcp", "udp", "tcp-proxy", "ssl"] = "tcp"
    scheme: Literal["Public", "Internal"] = "Public"
    public_ip_id: str | None = None
    source_ip: str | None = None
    source_network_id: str | None = None
    description: str = ""
    cidrs: tuple[str, ...] = ()
    certificate_id: str | None = None
    state: RuleState = "Add"
    display: bool = True
    created: float = 0.0


class LoadBalancerMember(Row, frozen=True, kw_only=True):
    """An instance behind a load balancer rule, by one of its addresses."""

    keys: ClassVar[Keys] = Keys(indexes=("rule_id", "vm_id"), unique=(("rule_id", "vm_id", "ip"),))

    rule_id: str
    vm_id: str
    ip: str
    state: Literal["Unknown", "Up", "Down"] = "Unknown"


class StickinessPolicy(Row, frozen=True, kw_only=True):
    """How a load balancer keeps a client with one instance: LbCookie, AppCookie or SourceBased."""

    keys: ClassVar[Keys] = Keys(unique=("rule_id",))

    rule_id: str
    name: str
    method: Literal["LbCookie", "AppCookie", "SourceBased"]
    parameters: dict[str, str] = {}
    description: str = ""
    display: bool = True


class HealthCheckPolicy(Row, frozen=True, kw_only=True):
    """How a load balancer finds out which instances answer. `path` for HTTP; seconds and counts."""

    keys: ClassVar[Keys] = Keys(unique=("rule_id",))

    rule_id: str
    path: str = "/"
    description: str = ""
    response_timeout: int = 2
    interval: int = 5
    healthy_threshold: int = 2
    unhealthy_threshold: int = 10
    display: bool = True


class SslCertificate(Row, frozen=True, kw_only=True):
    """A certificate, chain and private key (PEM) that load balancer rules may use."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    account_id: str
    domain_id: str
    certificate: str
    private_key: str
    fingerprint: str
    chain: str | None = None
    created: float = 0.0


class SecurityGroup(Row, frozen=True, kw_only=True):
    """What instances let in and out, by rules; an account's `default` group is for those that name none."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    account_id: str
    domain_id: str
    description: str = ""
    created: float = 0.0


class SecurityGroupRule(Row, frozen=True, kw_only=True):
    """Traffic allowed to (`ingress`) or from the group's instances: by CIDR, or of instances of another group."""

    keys: ClassVar[Keys] = Keys(indexes=("group_id", "other_group_id"), unique=())

    group_id: str
    ingress: bool
    protocol: str
    start_port: int | None = None
    end_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    cidr: str | None = None
    other_group_id: str | None = None
    created: float = 0.0
