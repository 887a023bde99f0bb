"""The network of an instance that names none: the zone's default one, or in a zone with routers its account's own.

CloudStack's rule for Advanced zones: the account's only isolated network with source NAT, made when there is none yet;
an account with several has to name one.
"""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.management.network.networks import Networks
from cloudsim.management.network.router_use import zone_has_routers
from cloudsim.model import Account, Network, NetworkOffering, Zone


class AccountNetworks:
    """Finds or makes it."""

    def __init__(self, foundation: Foundation, networks: Networks) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._networks = networks
        self._table = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)

    def find(self, owner: Account, zone: Zone) -> Network | None:
        """The network, if it exists. Raises InvalidParameterValue where the account has to choose."""
        if not self.makes_own(zone):
            default = self._networks.defaults.of(zone)
            if default is None:
                raise InvalidParameterValue(
                    f"Zone {zone.name} has no default guest network: name one in networkids"
                )
            return default
        own = [
            network
            for network in self._table.where("account_id", owner.id)
            if network.zone_id == zone.id and self._is_private(network)
        ]
        if len(own) > 1:
            raise InvalidParameterValue(
                f"More than 1 default Isolated networks are found for account {owner.name}; please specify networkids"
            )
        return own[0] if own else None

    def makes_own(self, zone: Zone) -> bool:
        """Whether accounts have networks of their own in the zone."""
        return (
            zone.network_type == "Advanced"
            and not zone.security_groups
            and zone_has_routers(self._store, zone.id)
        )

    def _is_private(self, network: Network) -> bool:
        offering = self._offerings.get(network.network_offering_id)
        return (
            network.guest_type == "Isolated"
            and network.traffic_type == "Guest"
            and network.vpc_id is None
            and offering is not None
            and "SourceNat" in offering.services
        )

    def of(self, caller: Caller, owner: Account, zone: Zone) -> Network:
        """The network, made if there is none. To be called within the transaction that makes the instance."""
        found = self.find(owner, zone)
        if found is not None:
            return found
        name = f"{owner.name}-network"
        request = NetworkRequest(name=name, display_text=name)
        return self._networks.create(caller, owner, zone, self._required(), request)

    def _required(self) -> NetworkOffering:
        for offering in self._offerings:
            if (
                offering.availability == "Required"
                and offering.state == "Enabled"
                and offering.guest_type == "Isolated"
                and not offering.for_vpc
                and "SourceNat" in offering.services
            ):
                return offering
        raise InvalidParameterValue(
            "Unable to find an enabled network offering with availability=Required, to make a network from"
        )
