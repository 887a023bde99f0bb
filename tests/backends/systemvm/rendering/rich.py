"""Two configurations that have some of everything."""

from __future__ import annotations

from cloudsim.protocol.router import (
    AclEntry,
    Balancer,
    BalancerMember,
    Forward,
    GuestNetworkConfiguration,
    IngressRule,
    PrivateLeg,
    PublicAddress,
    Route,
    RouterConfiguration,
    RouterGuest,
    StaticNat,
    Traffic,
)
from tests.backends.systemvm.rendering.networks import (
    GUESTS,
    LEG,
    NETMASK,
    OTHER_POOL,
    OTHER_PUBLIC,
    POOL,
    PUBLIC,
    address,
    gateway,
    guest_mac,
)

PUBLICS = (
    *(PublicAddress(ip, NETMASK, "203.0.113.1", PUBLIC, ip == POOL[0]) for ip in POOL),
    *(PublicAddress(ip, NETMASK, "192.0.2.1", OTHER_PUBLIC) for ip in OTHER_POOL),
)
SERVICES = ("Dhcp", "Dns", "UserData")


def network(number: int, **fields: object) -> GuestNetworkConfiguration:
    guests = tuple(
        RouterGuest(f"0a:0{number}:00:00:00:{host}", address(number, host), f"vm-{number}-{host}")
        for host in GUESTS
    )
    return GuestNetworkConfiguration(
        f"net{number}",
        guest_mac(number),
        gateway(number),
        gateway(number),
        NETMASK,
        guests=guests,
        **fields,  # type: ignore[arg-type]
    )


def balancer(ip: str, port: int, protocol: str, *members: str, sources: tuple[str, ...] = ()) -> Balancer:
    listed = tuple(BalancerMember(f"m{at}", member, 8080) for at, member in enumerate(members))
    return Balancer(f"lb-{ip}-{port}", ip, port, protocol, members=listed, sources=sources)  # type: ignore[arg-type]


def entry(ingress: bool, allow: bool, protocol: str, first: int = -1, *cidrs: str) -> AclEntry:
    sources, destinations = (cidrs, ()) if ingress else ((), cidrs)
    last = -1 if protocol == "icmp" else first
    return AclEntry(ingress, allow, Traffic(protocol, first, last, sources, destinations))


ISOLATED = RouterConfiguration(
    name="r-1-VM",
    public=PUBLICS,
    guests=(
        network(
            0,
            services=SERVICES,
            egress=(
                Traffic("tcp", 80, 81),
                Traffic("udp", 53, 53, (address(0, 10),)),
                Traffic("icmp", 8, -1, (), ("198.51.100.0/24",)),
                Traffic("99"),
            ),
        ),
    ),
    ingress=(
        IngressRule(POOL[0], Traffic("tcp", 22, 81, ("198.51.100.7/32", "10.1.0.0/16"))),
        IngressRule(POOL[0], Traffic("udp", 53, 8080)),
        IngressRule(POOL[0], Traffic("icmp", 8, 0)),
        IngressRule(POOL[1], Traffic("all", sources=("198.51.100.0/24", "10.1.0.11/32"))),
        IngressRule(OTHER_POOL[0], Traffic("tcp", 443, 443)),
        IngressRule(OTHER_POOL[0], Traffic("99")),
        IngressRule(OTHER_POOL[1], Traffic("tcp", 8080, 8080)),
        IngressRule(OTHER_POOL[1], Traffic("icmp")),
    ),
    forwards=(
        Forward(POOL[0], "tcp", 22, 22, address(0, 10), 22),
        Forward(POOL[0], "tcp", 80, 81, address(0, 11), 9000),
        Forward(OTHER_POOL[1], "tcp", 8080, 8080, address(0, 10), 80),
        Forward(OTHER_POOL[1], "udp", 53, 53, address(0, 10), 53),  # which its firewall does not let in
    ),
    static_nats=(StaticNat(POOL[1], address(0, 12)), StaticNat(OTHER_POOL[0], address(0, 11))),
    balancers=(
        balancer(POOL[0], 53, "tcp", address(0, 10)),
        balancer(
            POOL[0], 53, "udp", address(0, 10), address(0, 11), sources=("198.51.100.0/24", "10.0.0.0/8")
        ),
        balancer(POOL[0], 443, "udp", address(0, 12)),
    ),
)

VPC = RouterConfiguration(
    name="r-1-VM",
    vpc_cidr="10.1.0.0/16",
    firewalled=False,
    public=PUBLICS,
    guests=(
        network(
            0,
            services=SERVICES,
            acl=(
                entry(True, False, "tcp", 22, "198.51.100.7/32"),
                entry(True, True, "tcp", 22),
                entry(True, True, "udp", -1, "10.1.0.0/16", "172.16.0.0/12"),
                entry(True, False, "icmp", 8, "10.1.1.10/31"),
                entry(True, True, "icmp"),
                entry(False, False, "tcp", 443, "8.8.4.4/32"),
                entry(False, False, "icmp", -1, "10.1.0.0/16"),
                entry(False, True, "all"),
            ),
        ),
        network(1, services=("Dns",), acl=()),
        network(2, acl=(entry(True, True, "all"), entry(False, True, "tcp", 80), entry(False, True, "99"))),
    ),
    forwards=(
        Forward(POOL[0], "tcp", 22, 22, address(0, 10), 22),
        Forward(POOL[0], "tcp", 2222, 2222, address(0, 11), 22),
        Forward(OTHER_POOL[1], "udp", 80, 80, address(2, 10), 80),
    ),
    static_nats=(StaticNat(POOL[1], address(2, 12)), StaticNat(OTHER_POOL[0], address(0, 12))),
    balancers=(
        balancer(POOL[0], 80, "tcp", address(0, 10), sources=("198.51.100.0/24",)),
        balancer(POOL[0], 443, "tcp", address(1, 10)),
        balancer(POOL[0], 53, "udp", address(1, 10), address(1, 12)),
    ),
    private=(
        PrivateLeg(
            LEG,
            "172.31.0.2",
            NETMASK,
            "172.31.0.1",
            True,
            (
                entry(True, False, "tcp", 80),
                entry(True, True, "all"),
                entry(False, False, "udp"),
                entry(False, True, "all"),
            ),
        ),
    ),
    routes=(Route("172.30.0.0/16", "172.31.0.1"), Route("8.8.4.4/32", "172.31.0.1")),
)
