"""Guest networks: isolated, shared and L2."""

from __future__ import annotations

import ipaddress
from typing import Any, Literal

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.limits import Limits
from cloudsim.management.network.default_networks import DefaultNetworks, root_domain
from cloudsim.management.network.ip_ranges import first_range
from cloudsim.management.network.ip_reservation import reservation
from cloudsim.management.network.ipv6_prefixes import GuestIpv6Prefixes
from cloudsim.management.network.ipv6_ranges import Ipv6Ranges
from cloudsim.management.network.mtus import check_mtus
from cloudsim.management.network.network_requests import (
    NetworkRequest,
    Subnet,
    changed_dns,
    checked_dns,
    checked_domain,
    ipv6_of,
    router_ip_of,
    subnet_of,
    vlan_of,
)
from cloudsim.management.network.providers import check_enabled
from cloudsim.management.network.public_ipv6 import PublicIpv6s
from cloudsim.management.network.vlans import UNTAGGED, parse_vlans, vlan_number
from cloudsim.management.vpc.tiers import Tiers
from cloudsim.model import (
    Account,
    IpRange,
    Network,
    NetworkOffering,
    Nic,
    PhysicalNetwork,
    Vpc,
    Zone,
)


class Networks:
    """Makes and changes guest networks; `NetworkLife` does the rest."""

    def __init__(
        self, foundation: Foundation, limits: Limits, prefixes: GuestIpv6Prefixes, public6: PublicIpv6s
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._limits = limits
        self._table = foundation.table(Network)
        self._physical = foundation.table(PhysicalNetwork)
        self._offerings = foundation.table(NetworkOffering)
        self._zones = foundation.table(Zone)
        self._ranges = foundation.table(IpRange)
        self._tiers = Tiers(foundation)
        self._six = Ipv6Ranges(foundation)
        self._prefixes = prefixes
        self._public6 = public6
        self._randomness = foundation.randomness.branch("networks")
        self.defaults = DefaultNetworks(foundation, self._randomness)

    # making

    def create(
        self, caller: Caller, owner: Account, zone: Zone, offering: NetworkOffering, request: NetworkRequest
    ) -> Network:
        """A guest network: Allocated, and a shared one at once Setup."""
        whose = request.domain.id if request.domain is not None else owner.domain_id
        self._check_offering(caller, zone, offering, whose, in_vpc=request.vpc is not None)
        if not request.name.strip():
            raise InvalidParameterValue("A network needs a name")
        acl_type = self._acl_type(offering, request)
        physical = self._physical_network(zone, offering, request.physical_network)
        if physical is not None:
            check_enabled(self._store, physical, offering.services)
        subnet = subnet_of(zone, offering, request)
        six = ipv6_of(offering, request, subnet)
        router_ip = router_ip_of(offering, subnet, request.router_ip)
        check_mtus(
            self._foundation.settings,
            caller,
            zone.id,
            offering,
            public=request.public_mtu,
            private=request.private_mtu,
            tier=request.vpc is not None,
        )
        acl_id = None
        if request.vlan_overlap_allowed and offering.guest_type == "Isolated":
            raise InvalidParameterValue("Parameter bypassvlanoverlapcheck is for shared and L2 networks")
        if request.vpc is not None:
            acl_id = self._tiers.check_new(owner, zone, offering, request, subnet)
        elif request.acl is not None:
            raise InvalidParameterValue("aclid is for networks of a VPC, and there is no vpcid")
        dns1, dns2 = checked_dns(request)
        vlan: str | None
        if zone.network_type == "Basic" and subnet.cidr is None:
            replaced, vlan = self.defaults.replaced(zone), None
        else:
            replaced, vlan = None, vlan_of(caller, offering, physical, request.vlan)
            if acl_type == "Domain" and request.domain is None and zone.security_groups:
                replaced = self.defaults.unused(zone, offering)
        if vlan is not None:
            self._check_vlan(zone, physical, offering, vlan, subnet, overlap_allowed=request.vlan_overlap_allowed)
        if six:
            self._six.check_apart(zone.id, six, None if vlan == UNTAGGED else vlan)
        dual_stack = offering.internet_protocol == "DualStack"
        if dual_stack:
            self._prefixes.check_free(zone)
            if request.vpc is None:
                self._public6.check_free(owner, zone)
        if acl_type == "Account":
            self._limits.check(owner, "network")
        domain_id = owner.domain_id
        if acl_type == "Domain":
            domain_id = self._domain_of(caller, request)
        elif request.subdomain_access is not None:
            raise InvalidParameterValue("Parameter subdomainaccess can be specified only with acltype=Domain")
        with self._store.transaction():
            if replaced is not None:
                self._table.delete(replaced.id)
            network = self._table.insert(
                Network(
                    id=self._randomness.uuid(),
                    name=request.name,
                    display_text=request.display_text or request.name,
                    zone_id=zone.id,
                    network_offering_id=offering.id,
                    account_id=owner.id,
                    domain_id=domain_id,
                    physical_network_id=physical.id if physical is not None else None,
                    guest_type=offering.guest_type,
                    cidr=subnet.cidr,
                    gateway=subnet.gateway,
                    netmask=subnet.netmask,
                    start_ip=subnet.start_ip,
                    end_ip=subnet.end_ip,
                    vlan=None if vlan == UNTAGGED else vlan,
                    network_domain=self._network_domain(owner, zone, request.network_domain, request.vpc),
                    vpc_id=request.vpc.id if request.vpc is not None else None,
                    acl_id=acl_id,
                    dns1=dns1,
                    dns2=dns2,
                    acl_type=acl_type,
                    subdomain_access=self._subdomain_access(request),
                    is_default=replaced is not None,
                    state="Setup" if offering.guest_type == "Shared" else "Allocated",
                    display=request.display,
                    created=self._foundation.now(),
                    ip6_cidr=six.get("ip6_cidr"),
                    ip6_gateway=six.get("ip6_gateway"),
                    external_id=request.external_id,
                    router_ip=router_ip,
                    public_mtu=request.public_mtu,
                    private_mtu=request.private_mtu,
                    hides_address_usage=request.hides_address_usage,
                )
            )
            if network.guest_type == "Shared" and network.cidr is not None:
                own = first_range(network, self._randomness.uuid(), six)
                self._ranges.insert(own)
            if dual_stack:
                subnet6 = self._prefixes.take(zone, network.id)
                network = self._table.update(
                    network.id, ip6_cidr=subnet6.cidr, ip6_gateway=subnet6.gateway
                )
                if request.vpc is None:
                    self._public6.take(owner, zone, network=network)
            return network

    def _check_offering(
        self, caller: Caller, zone: Zone, offering: NetworkOffering, domain_id: str, *, in_vpc: bool
    ) -> None:
        if offering.state != "Enabled":
            raise InvalidParameterValue(
                f"Can't use specified network offering id={offering.id} as its state is not Enabled"
            )
        if offering.zone_ids and zone.id not in offering.zone_ids:
            raise InvalidParameterValue(
                f"Network offering {offering.name} is not offered in zone {zone.name}"
            )
        if offering.traffic_type != "Guest":
            raise InvalidParameterValue(f"Network offering {offering.name} is not one for guest networks")
        if not visibility.offered_to(self._store, offering, domain_id):
            raise PermissionDenied(f"Network offering {offering.name} is not offered to the network's domain")
        if offering.for_vpc and not in_vpc:
            raise InvalidParameterValue("Network offering can be used for VPC networks only")
        if zone.allocation_state == "Disabled" and not caller.is_root_admin:
            raise PermissionDenied(f"Cannot perform this operation, Zone is currently disabled: {zone.name}")
        if zone.network_type == "Basic" and offering.guest_type != "Shared":
            raise InvalidParameterValue(f"Basic zone {zone.name} has only shared networks")
        if offering.guest_type == "Shared" and not caller.is_admin:
            raise PermissionDenied("Only an administrator can create a shared network")

    def _domain_of(self, caller: Caller, request: NetworkRequest) -> str:
        """Whose a network of a domain is to be. Raises PermissionDenied for a domain that the caller does not manage."""
        if request.domain is None:
            return root_domain(self._foundation)
        visibility.check(self._store, caller, request.domain)
        return request.domain.id

    def _subdomain_access(self, request: NetworkRequest) -> bool:
        if request.subdomain_access is not None:
            return request.subdomain_access
        return self._foundation.settings.boolean("allow.subdomain.network.access")

    def _acl_type(self, offering: NetworkOffering, request: NetworkRequest) -> Literal["Account", "Domain"]:
        if offering.guest_type == "Shared":
            return request.acl_type or "Domain"
        if request.acl_type == "Domain":
            raise InvalidParameterValue(
                "AclType should be Account for network with guest type Isolated or L2"
            )
        return "Account"

    def _physical_network(
        self, zone: Zone, offering: NetworkOffering, named: PhysicalNetwork | None
    ) -> PhysicalNetwork | None:
        """The wire that the network is to be on, one with the offering's tags; None in a zone that has none."""
        if named is not None:
            if named.zone_id != zone.id or named.state != "Enabled":
                raise InvalidParameterValue(
                    f"Physical network {named.name} is not an enabled one of zone {zone.name}"
                )
            if not set(offering.tags) <= set(named.tags):
                raise InvalidParameterValue(
                    f"Physical network {named.name} does not have the tags of network offering {offering.name}"
                )
            return named
        wires = self._physical.where("zone_id", zone.id)
        enabled = [wire for wire in wires if wire.state == "Enabled"]
        if wires and not enabled:
            raise InvalidParameterValue(f"Zone {zone.name} has no physical network that is enabled")
        tagged = [wire for wire in enabled if set(offering.tags) <= set(wire.tags)]
        if offering.tags and not tagged:
            raise InvalidParameterValue(
                f"Unable to find physical network which match the tags {', '.join(offering.tags)}"
            )
        return tagged[0] if tagged else None

    def _check_vlan(
        self,
        zone: Zone,
        physical: PhysicalNetwork | None,
        offering: NetworkOffering,
        vlan: str,
        subnet: Subnet,
        *,
        overlap_allowed: bool,
    ) -> None:
        """Raise what stands against the VLAN; `overlap_allowed`: it may be others' too, with other addresses."""
        number = vlan_number(vlan)
        if physical is not None and number is not None and not overlap_allowed:
            for low, high in parse_vlans(physical.vlan):
                if low <= number <= high:
                    raise InvalidParameterValue(
                        f"The VLAN tag to use for new guest network, {number} is already being used for dynamic "
                        f"vlan allocation for the guest network in zone {zone.name}"
                    )
        mine = None if subnet.cidr is None else ipaddress.IPv4Network(subnet.cidr)
        for other in self._table.where("zone_id", zone.id):
            if other.is_default or vlan_number(other.vlan) != number:
                continue
            if number is None and other.guest_type != "Shared":
                continue
            apart = offering.guest_type != "Shared" or other.guest_type != "Shared"
            if apart and not overlap_allowed:
                raise InvalidParameterValue(
                    f"Network with vlan {vlan} already exists in zone {zone.name}: {other.name}"
                )
            if (
                mine is not None
                and other.cidr is not None
                and mine.overlaps(ipaddress.IPv4Network(other.cidr))
            ):
                raise InvalidParameterValue(
                    f"The subnet {subnet.cidr} overlaps {other.cidr} of network {other.name}, which has the same vlan"
                )

    def _network_domain(self, owner: Account, zone: Zone, given: str | None, vpc: Vpc | None = None) -> str:
        if vpc is not None and vpc.network_domain is not None:
            return vpc.network_domain
        if given is not None:
            return checked_domain(given)
        suffix = self._foundation.settings.get("guest.domain.suffix", "Zone", zone.id)
        return owner.network_domain or zone.domain or suffix

    # changing

    def update(
        self,
        network: Network,
        *,
        name: str | None = None,
        display_text: str | None = None,
        network_domain: str | None = None,
        display: bool | None = None,
        offering: NetworkOffering | None = None,
        guest_cidr: str | None = None,
        dns1: str | None = None,
        dns2: str | None = None,
        public_mtu: int | None = None,
        private_mtu: int | None = None,
        hides_address_usage: bool | None = None,
    ) -> Network:
        """Change what is not None; `check_mtus` has allowed the MTUs.

        `guest_cidr`: the part of its subnet that instances get addresses of.

        An empty `dns1` or `dns2` is none: without both the zone's name servers are the network's.
        """
        changes: dict[str, Any] = {}
        if name is not None:
            if not name.strip():
                raise InvalidParameterValue("A network needs a name")
            changes["name"] = name
        if display_text is not None:
            changes["display_text"] = display_text
        if network_domain is not None:
            owner = self._foundation.table(Account)[network.account_id]
            changes["network_domain"] = self._network_domain(
                owner, self._zones[network.zone_id], network_domain
            )
        for field, value in (
            ("display", display),
            ("public_mtu", public_mtu),
            ("private_mtu", private_mtu),
            ("hides_address_usage", hides_address_usage),
        ):
            if value is not None:
                changes[field] = value
        if offering is not None and offering.id != network.network_offering_id:
            self.check_update(network, offering)
            changes["network_offering_id"] = offering.id
        changes |= changed_dns(network, self._offerings.get(network.network_offering_id), dns1, dns2)
        if guest_cidr is not None:
            nics = self._foundation.table(Nic).where("network_id", network.id)
            changes |= reservation(self._table[network.id], nics, guest_cidr)
        with self._store.transaction():
            return self._table.update(network.id, **changes)

    def check_update(self, network: Network, offering: NetworkOffering) -> None:
        """Raise what stands against making the network one of that offering where it is."""
        self.check_change(network, offering)
        wire = self._physical.get(network.physical_network_id)
        if wire is not None and not set(offering.tags) <= set(wire.tags):
            raise InvalidParameterValue(
                f"Can't upgrade network {network.name} to network offering {offering.name}: its physical network "
                f"{wire.name} does not have the tags {', '.join(offering.tags)}; migrateNetwork moves it to one that has"
            )

    def check_change(self, network: Network, offering: NetworkOffering) -> None:
        """Raise what stands against making the network one of that offering, here or on another physical network."""
        in_vpc = network.vpc_id is not None
        if (
            offering.guest_type != network.guest_type
            or offering.for_vpc != in_vpc
            or offering.state != "Enabled"
        ):
            raise InvalidParameterValue(
                f"Can't upgrade network {network.name} to network offering {offering.name}"
            )
        before = self._offerings.get(network.network_offering_id)
        if before is not None and ("SecurityGroup" in before.services) != (
            "SecurityGroup" in offering.services
        ):
            raise InvalidParameterValue(
                f"Can't upgrade network {network.name} to network offering {offering.name}: "
                "only one of it and the present one has security groups"
            )
        if (offering.internet_protocol == "DualStack") != (network.ip6_cidr is not None) and (
            network.guest_type == "Isolated"
        ):
            raise InvalidParameterValue(
                f"Can't upgrade network {network.name} to network offering {offering.name}: only one of it and the "
                "present one has IPv6"
            )
        if in_vpc:
            self._tiers.check_change(network, offering)
