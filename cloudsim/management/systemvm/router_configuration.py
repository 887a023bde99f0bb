"""What the rows say of a network or a VPC, as the configuration of the router that serves it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloudsim.management.foundation import Foundation
from cloudsim.management.network.public_ips import range_of_ip
from cloudsim.management.network.router_use import ROUTER_PROVIDERS
from cloudsim.management.systemvm.router_guests import RouterGuests
from cloudsim.management.vpc.acl_rules import packets
from cloudsim.model import (
    FirewallRule,
    HealthCheckPolicy,
    IpRange,
    Ipv6FirewallRule,
    LoadBalancerMember,
    LoadBalancerRule,
    Network,
    NetworkAcl,
    NetworkAclList,
    NetworkOffering,
    Nic,
    PortForwardingRule,
    PrivateGateway,
    PublicIp,
    PublicIpv6,
    RemoteAccessVpn,
    SslCertificate,
    StaticRoute,
    StickinessPolicy,
    SystemVm,
    VirtualMachine,
    Vpc,
    VpnConnection,
    VpnCustomerGateway,
    VpnGateway,
    VpnUser,
    Zone,
)
from cloudsim.protocol.router import (
    DEFAULT_MTU,
    AclEntry,
    Balancer,
    BalancerMember,
    Forward,
    GuestNetworkConfiguration,
    HealthCheck,
    IngressRule,
    PrivateLeg,
    PublicAddress,
    PublicAddress6,
    Route,
    RouterConfiguration,
    RouterGuest,
    StaticNat,
    Stickiness,
    Traffic,
    VpnDialIn,
    VpnSite,
)


class RouterConfigurations:
    """Makes configurations from the rows as they are."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        table = foundation.table
        self._networks = table(Network)
        self._offerings = table(NetworkOffering)
        self._nics = table(Nic)
        self._vms = table(VirtualMachine)
        self._ips = table(PublicIp)
        self._zones = table(Zone)
        self._vpcs = table(Vpc)
        self._balancers = table(LoadBalancerRule)
        self._sixes = table(PublicIpv6)
        self._guests = RouterGuests(foundation)

    def of(self, router: SystemVm) -> RouterConfiguration:
        """What the router is to do now."""
        if router.kind == "InternalLoadBalancerVm":
            return self._internal_balancer(router)
        if router.vpc_id is not None:
            return self._vpc(router)
        return self._network(router)

    # a network's router

    def _network(self, router: SystemVm) -> RouterConfiguration:
        assert router.network_id is not None
        network = self._networks[router.network_id]
        found = [ip for ip in self._ips.where("network_id", network.id) if ip.state != "Releasing"]
        ips = sorted(found, key=lambda ip: (not ip.source_nat, ip.ip))
        by_id = {ip.id: ip for ip in ips}
        return RouterConfiguration(
            name=self._vms[router.id].instance_name,
            firewalled=True,
            public=tuple(self._public(router, ips)),
            guests=(self._guest_network(router, network),),
            ingress=tuple(self._ingress(ips)),
            forwards=tuple(self._forwards(by_id)),
            static_nats=self._static_nats(ips),
            balancers=tuple(self._public_balancers(by_id)),
            dial_in=tuple(self._dial_in(by_id, network)),
            public6=self._public6(router, self._sixes.find("network_id", network.id)),
            public_mtu=network.public_mtu or DEFAULT_MTU,
        )

    def _outside(self, router: SystemVm) -> str | None:
        """The MAC address of its public NIC."""
        for nic in self._nics.where("vm_id", router.id):
            if self._networks[nic.network_id].traffic_type == "Public":
                return nic.mac
        return None

    def _public(self, router: SystemVm, ips: Iterable[PublicIp]) -> Iterable[PublicAddress]:
        mac = self._outside(router)
        for ip in ips:
            found = range_of_ip(self._foundation.store, ip)
            if found is not None and mac is not None:
                yield PublicAddress(ip.ip, found.netmask, found.gateway, mac, ip.source_nat)

    def _public6(self, router: SystemVm, address: PublicIpv6 | None) -> PublicAddress6 | None:
        mac = self._outside(router)
        found = None if address is None else self._foundation.table(IpRange).get(address.range_id)
        if address is None or found is None or found.ip6_gateway is None or mac is None:
            return None
        return PublicAddress6(address.ip, found.ip6_gateway, mac)

    def _guest_network(self, router: SystemVm, network: Network) -> GuestNetworkConfiguration:
        offering = self._offerings.get(network.network_offering_id)
        leg = next((n for n in self._nics.where("vm_id", router.id) if n.network_id == network.id), None)
        assert leg is not None and leg.ip is not None and network.netmask is not None
        services = {} if offering is None else offering.services
        return GuestNetworkConfiguration(
            network.id,
            leg.mac,
            leg.ip,
            network.gateway or leg.ip,
            network.netmask,
            services=tuple(self._served(services, network)),
            domain=network.network_domain or "",
            dns=self._dns(network),
            guests=self._guests.of(network),
            egress_allowed=offering.egress_default_policy if offering is not None else False,
            egress=tuple(self._egress(network)),
            acl=self._acl(network.acl_id) if network.vpc_id is not None else None,
            dhcp_options=self._search(network),
            mtu=network.private_mtu or DEFAULT_MTU,
            **self._ipv6(network),
        )

    def _ipv6(self, network: Network) -> dict[str, Any]:
        """The fields about IPv6 of a network that has it of its router."""
        if network.ip6_cidr is None or network.guest_type != "Isolated":
            return {}
        rules: dict[str, list[Traffic]] = {"Ingress": [], "Egress": []}
        if network.vpc_id is None:
            for rule in self._foundation.table(Ipv6FirewallRule).where("network_id", network.id):
                if rule.state != "Revoke":
                    rules[rule.direction].append(_traffic(rule))
        return {
            "ip6": network.ip6_gateway,
            "ingress6": tuple(rules["Ingress"]),
            "egress6": tuple(rules["Egress"]),
        }

    def _served(self, services: Mapping[str, Sequence[str]], network: Network) -> Iterable[str]:
        """What the router serves; with external DNS its guests are told the zone's name servers, and it is none."""
        external = self._foundation.settings.boolean("use.external.dns", "Zone", network.zone_id)
        for name, providers in services.items():
            if ROUTER_PROVIDERS.intersection(providers) and not (external and name == "Dns"):
                yield name

    def _dns(self, network: Network) -> tuple[str, ...]:
        zone = self._zones[network.zone_id]
        own = tuple(filter(None, (network.dns1, network.dns2)))
        return own or tuple(filter(None, (zone.dns1, zone.dns2)))

    def _search(self, network: Network) -> dict[str, str]:
        """The DHCP option with the domains that guests look for short names in."""
        domains = self._zones[network.zone_id].dns_search
        return {"domain-search": ",".join(domains)} if domains else {}

    # rules

    def _egress(self, network: Network) -> Iterable[Traffic]:
        for rule in self._foundation.table(FirewallRule).where("network_id", network.id):
            if rule.direction == "Egress" and rule.state != "Revoke":
                yield _traffic(rule)

    def _ingress(self, ips: Iterable[PublicIp]) -> Iterable[IngressRule]:
        rules = self._foundation.table(FirewallRule)
        for ip in ips:
            for rule in rules.where("public_ip_id", ip.id):
                if rule.direction == "Ingress" and rule.state != "Revoke":
                    yield IngressRule(ip.ip, _traffic(rule))

    def _forwards(self, ips: dict[str, PublicIp]) -> Iterable[Forward]:
        rules = self._foundation.table(PortForwardingRule)
        for ip in ips.values():
            for rule in rules.where("public_ip_id", ip.id):
                if rule.state != "Revoke":
                    yield Forward(
                        ip.ip, rule.protocol, rule.public_start, rule.public_end, rule.guest_ip, rule.private_start
                    )

    def _static_nats(self, ips: Iterable[PublicIp]) -> tuple[StaticNat, ...]:
        return tuple(StaticNat(ip.ip, ip.static_nat_ip) for ip in ips if ip.static_nat_ip is not None)

    def _public_balancers(self, ips: dict[str, PublicIp]) -> Iterable[Balancer]:
        for ip in ips.values():
            for rule in self._balancers.where("public_ip_id", ip.id):
                if rule.state != "Revoke" and rule.scheme == "Public":
                    yield self._balancer(rule, ip.ip)

    def _balancer(self, rule: LoadBalancerRule, ip: str) -> Balancer:
        table = self._foundation.table
        members = tuple(
            BalancerMember(member.id, member.ip, rule.private_port)
            for member in table(LoadBalancerMember).where("rule_id", rule.id)
        )
        sticky = table(StickinessPolicy).find("rule_id", rule.id)
        check = table(HealthCheckPolicy).find("rule_id", rule.id)
        certificate = table(SslCertificate).get(rule.certificate_id)
        pem = None
        if certificate is not None:
            parts = (certificate.certificate, certificate.chain, certificate.private_key)
            pem = "\n".join(part.strip() for part in parts if part) + "\n"
        offering = self._offerings.get(self._networks[rule.network_id].network_offering_id)
        return Balancer(
            rule.id,
            ip,
            rule.public_port,
            rule.protocol,
            rule.algorithm,
            members,
            rule.cidrs,
            Stickiness(sticky.method, sticky.name, sticky.parameters) if sticky is not None else None,
            HealthCheck(
                check.path,
                check.interval,
                check.response_timeout,
                check.healthy_threshold,
                check.unhealthy_threshold,
            )
            if check is not None
            else None,
            pem,
            offering.max_connections if offering is not None else None,
            offering.keep_alive if offering is not None else False,
        )

    # a VPC's router

    def _vpc(self, router: SystemVm) -> RouterConfiguration:
        assert router.vpc_id is not None
        vpc = self._vpcs[router.vpc_id]
        tiers = [t for t in self._networks.where("vpc_id", vpc.id) if self._has_leg(router, t)]
        ips = self._vpc_ips(vpc, tiers)
        by_id = {ip.id: ip for ip in ips}
        routes = self._foundation.table(StaticRoute).where("vpc_id", vpc.id)
        return RouterConfiguration(
            name=self._vms[router.id].instance_name,
            vpc_cidr=vpc.cidr,
            firewalled=False,
            public=tuple(self._public(router, ips)),
            guests=tuple(self._guest_network(router, tier) for tier in tiers),
            forwards=tuple(self._forwards(by_id)),
            static_nats=self._static_nats(ips),
            balancers=tuple(self._public_balancers(by_id)),
            private=tuple(self._private(vpc)),
            routes=tuple(Route(route.cidr, route.next_hop) for route in routes if route.state != "Revoke"),
            dial_in=tuple(self._dial_in(by_id, vpc)),
            sites=tuple(self._sites(vpc)),
            public6=self._public6(router, self._sixes.find("vpc_id", vpc.id)),
            public_mtu=vpc.public_mtu or DEFAULT_MTU,
        )

    def _has_leg(self, router: SystemVm, tier: Network) -> bool:
        return any(nic.network_id == tier.id for nic in self._nics.where("vm_id", router.id))

    def _vpc_ips(self, vpc: Vpc, tiers: Iterable[Network]) -> list[PublicIp]:
        found = {ip.id: ip for ip in self._ips.where("vpc_id", vpc.id)}
        for tier in tiers:
            found |= {ip.id: ip for ip in self._ips.where("network_id", tier.id)}
        kept = [ip for ip in found.values() if ip.state != "Releasing"]
        return sorted(kept, key=lambda ip: (not ip.source_nat, ip.ip))

    def _acl(self, list_id: str | None) -> tuple[AclEntry, ...]:
        if list_id is None or list_id not in self._foundation.table(NetworkAclList):
            return ()
        rules = self._foundation.table(NetworkAcl).where("list_id", list_id)
        entries = []
        for rule in sorted(rules, key=lambda rule: rule.number):
            if rule.state == "Revoke":
                continue
            ingress = rule.traffic_type == "Ingress"
            traffic = Traffic(
                *packets(rule),
                rule.cidrs if ingress else (),
                () if ingress else rule.cidrs,
            )
            entries.append(AclEntry(ingress, rule.action == "Allow", traffic))
        return tuple(entries)

    def _private(self, vpc: Vpc) -> Iterable[PrivateLeg]:
        for gateway in self._foundation.table(PrivateGateway).where("vpc_id", vpc.id):
            if gateway.state != "Deleting":
                yield PrivateLeg(
                    gateway.mac,
                    gateway.ip,
                    gateway.netmask,
                    gateway.gateway,
                    gateway.source_nat,
                    self._acl(gateway.acl_id),
                )

    # VPN

    def _dial_in(self, ips: dict[str, PublicIp], of: Network | Vpc) -> Iterable[VpnDialIn]:
        table = self._foundation.table
        for ip in ips.values():
            vpn = table(RemoteAccessVpn).find("public_ip_id", ip.id)
            if vpn is None or vpn.state == "Removed":
                continue
            first, last = vpn.ip_range.split("-")
            users = table(VpnUser).where("account_id", of.account_id)
            yield VpnDialIn(
                ip.ip,
                vpn.preshared_key,
                first,
                str(ipaddress.IPv4Address(first) + 1),
                last,
                tuple((user.name, user.password) for user in users if user.state != "Revoke"),
            )

    def _sites(self, vpc: Vpc) -> Iterable[VpnSite]:
        table = self._foundation.table
        gateway = table(VpnGateway).find("vpc_id", vpc.id)
        if gateway is None:
            return
        ip = self._ips.get(gateway.public_ip_id)
        for connection in table(VpnConnection).where("vpn_gateway_id", gateway.id):
            peer = table(VpnCustomerGateway).get(connection.customer_gateway_id)
            if peer is None or ip is None or connection.state == "Removed":
                continue
            yield VpnSite(
                connection.id,
                ip.ip,
                peer.gateway,
                vpc.cidr,
                peer.cidrs,
                peer.preshared_key,
                peer.ike_policy,
                peer.esp_policy,
                peer.ike_lifetime,
                peer.esp_lifetime,
                peer.dead_peer_detection,
                peer.force_encapsulation,
                connection.passive,
            )

    # an internal load balancer

    def _internal_balancer(self, router: SystemVm) -> RouterConfiguration:
        assert router.network_id is not None and router.guest_ip is not None
        tier = self._networks[router.network_id]
        leg = next(nic for nic in self._nics.where("vm_id", router.id) if nic.network_id == tier.id)
        assert tier.netmask is not None
        rules = self._balancers.where("network_id", tier.id)
        mine = [r for r in rules if r.scheme == "Internal" and r.source_ip == router.guest_ip and r.state != "Revoke"]
        return RouterConfiguration(
            name=self._vms[router.id].instance_name,
            firewalled=False,
            guests=(
                GuestNetworkConfiguration(
                    tier.id,
                    leg.mac,
                    router.guest_ip,
                    tier.gateway or router.guest_ip,
                    tier.netmask,
                    services=("Lb",),
                    domain=tier.network_domain or "",
                    egress_allowed=True,
                    guests=tuple(
                        RouterGuest(guest.mac, guest.ip, guest.hostname, guest.vm, guest.vm_id)
                        for guest in self._guests.of(tier)
                    ),
                ),
            ),
            balancers=tuple(self._balancer(rule, router.guest_ip) for rule in mine),
        )


def _traffic(rule: FirewallRule | Ipv6FirewallRule) -> Traffic:
    return Traffic(rule.protocol, *_span(rule), rule.cidrs, rule.destination_cidrs)


def _span(rule: FirewallRule | Ipv6FirewallRule | NetworkAcl) -> tuple[int, int]:
    """Ports, or ICMP type and code; -1: any."""
    if rule.protocol == "icmp":
        kind, code = rule.icmp_type, rule.icmp_code
        return (-1 if kind is None else kind), (-1 if code is None else code)
    first = -1 if rule.start_port is None else rule.start_port
    last = rule.end_port if rule.end_port is not None else first
    return first, last
