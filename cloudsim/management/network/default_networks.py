"""The default network that a zone has for instances that name none, where accounts have no networks of their own."""

from __future__ import annotations

import ipaddress

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.router_use import zone_has_routers
from cloudsim.model import Account, Domain, IpRange, Network, NetworkOffering, Nic, Zone
from cloudsim.model.identity import ROOT_ADMIN
from cloudsim.randomness import Randomness

DEFAULT_CIDR = "10.0.0.0/8"
"""The subnet of a zone's default network where the zone has no guest CIDR: room for millions of instances."""
DEFAULT_PREFIX = 16
"""A zone's guest CIDR is widened to this for the default network."""


class DefaultNetworks:
    """Makes them and takes them away. Network ids come from `randomness`."""

    def __init__(self, foundation: Foundation, randomness: Randomness) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Network)
        self._nics = foundation.table(Nic)
        self._ranges = foundation.table(IpRange)
        self._offerings = foundation.table(NetworkOffering)
        self._randomness = randomness

    def of(self, zone: Zone) -> Network | None:
        """The zone's default network."""
        return next((n for n in self._table.where("zone_id", zone.id) if n.is_default), None)

    def replaced(self, zone: Zone) -> Network:
        """The default network of a Basic zone that makes room for one of the operator's, whose ranges say the subnet."""
        before = self.ensure(zone)
        if self._nics.count("network_id", before.id) or self._ranges.count("network_id", before.id):
            raise InvalidParameterValue(
                f"Basic zone {zone.name} has its guest network already: {before.name}"
            )
        return before

    def unused(self, zone: Zone, offering: NetworkOffering) -> Network | None:
        """The default network of an Advanced zone with security groups, if nobody uses it.

        There too instances that name no network are on the operator's network with security groups.
        """
        before = self.of(zone)
        if before is None or zone.network_type == "Basic" or "SecurityGroup" not in offering.services:
            return None
        used = self._nics.count("network_id", before.id) or self._ranges.count("network_id", before.id)
        return None if used else before

    def fit(self, zone: Zone) -> None:
        """Give the zone its default network, or where accounts have networks of their own take an unused one away."""
        own = zone.network_type == "Advanced" and not zone.security_groups and zone_has_routers(self._store, zone.id)
        if not own:
            self.ensure(zone)
            return
        before = self.of(zone)
        if before is not None and not self._nics.count("network_id", before.id):
            with self._store.transaction():
                self._table.delete(before.id)

    def ensure(self, zone: Zone) -> Network:
        """The zone's default network, made if there is none: shared, and usable by every account."""
        found = self.of(zone)
        if found is not None:
            return found
        net = ipaddress.IPv4Network(DEFAULT_CIDR)
        if zone.guest_cidr is not None:
            net = ipaddress.IPv4Network(zone.guest_cidr, strict=False)
            if net.prefixlen > DEFAULT_PREFIX:
                net = net.supernet(new_prefix=DEFAULT_PREFIX)
        owner = self._system_account()
        guarded = zone.security_groups or zone.network_type == "Basic"
        offering = self._offerings.find(
            "name", "DefaultSharedNetworkOfferingWithSGService" if guarded else "DefaultSharedNetworkOffering"
        )
        with self._store.transaction():
            return self._table.insert(
                Network(
                    id=self._randomness.uuid(),
                    name="defaultGuestNetwork",
                    display_text=f"Default network of zone {zone.name}",
                    zone_id=zone.id,
                    network_offering_id=offering.id if offering is not None else "",
                    account_id=owner.id if owner is not None else "",
                    domain_id=zone.domain_id or root_domain(self._foundation),
                    guest_type="Shared",
                    cidr=str(net),
                    gateway=str(net[1]),
                    netmask=str(net.netmask),
                    network_domain=zone.domain or self._foundation.settings.get("guest.domain.suffix"),
                    acl_type="Domain",
                    is_default=True,
                    state="Setup",
                    created=self._foundation.now(),
                )
            )

    def _system_account(self) -> Account | None:
        admins = [a for a in self._foundation.table(Account) if a.type == ROOT_ADMIN]
        return next((a for a in admins if a.name == "system"), admins[0] if admins else None)


def root_domain(foundation: Foundation) -> str:
    """The id of ROOT; an empty one in a cloud that has no domains yet."""
    root = foundation.table(Domain).find("path", "ROOT")
    return "" if root is None else root.id
