"""Customer gateways: the other ends of site-to-site VPN connections."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpn.policies import check_ike_version, check_lifetime, check_policy
from cloudsim.model import Account, VpnConnection, VpnCustomerGateway

HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+\Z"
)
KEY = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}\Z")
"""Visible ASCII but quotes and backslashes, as in a quoted string of an IPsec configuration."""


class CustomerGatewayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer gateway is to be. `cidrs` by commas; lifetimes in seconds."""

    gateway: str
    cidrs: str
    preshared_key: str
    ike_policy: str
    esp_policy: str
    name: str | None = None
    ike_lifetime: int | None = None
    esp_lifetime: int | None = None
    dead_peer_detection: bool = False
    force_encapsulation: bool = False
    split_connections: bool = False
    ike_version: str | None = None


class CustomerGateways:
    """Makes, changes and removes customer gateways. `SiteToSite` connects them."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(VpnCustomerGateway)
        self._connections = foundation.table(VpnConnection)
        self._randomness = foundation.randomness.branch("vpn customer gateways")

    def create(self, owner: Account, request: CustomerGatewayRequest) -> VpnCustomerGateway:
        """A customer gateway that nothing is connected with. Raises InvalidParameterValue."""
        fields = self._checked(request)
        name = request.name or f"VPN-{fields['gateway']}"
        self._check_name(owner.id, name)
        with self._store.transaction():
            return self._table.insert(
                VpnCustomerGateway(
                    id=self._randomness.uuid(),
                    name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    created=self._foundation.now(),
                    **fields,
                )
            )

    def check_update(self, gateway: VpnCustomerGateway, request: CustomerGatewayRequest) -> dict[str, Any]:
        """The fields to change. Raises InvalidParameterValue."""
        fields = self._checked(request)
        if request.name is not None and request.name != gateway.name:
            self._check_name(gateway.account_id, request.name)
            fields["name"] = request.name
        return fields

    def _check_name(self, account_id: str, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A customer gateway needs a name")
        if self._table.find(("account_id", "name"), (account_id, name)) is not None:
            raise InvalidParameterValue(f"The customer gateway with name {name} already existed!")

    def _checked(self, request: CustomerGatewayRequest) -> dict[str, Any]:
        if not KEY.match(request.preshared_key):
            raise InvalidParameterValue(
                "ipsecpsk must be of 1 to 255 visible ASCII characters, without quotes and backslashes"
            )
        return {
            "gateway": _peer(request.gateway),
            "cidrs": self._cidrs(request.cidrs),
            "preshared_key": request.preshared_key,
            "ike_policy": check_policy("IKE", request.ike_policy, group_required=True),
            "esp_policy": check_policy("ESP", request.esp_policy, group_required=False),
            "ike_lifetime": check_lifetime("IKE", request.ike_lifetime, 86_400),
            "esp_lifetime": check_lifetime("ESP", request.esp_lifetime, 3_600),
            "dead_peer_detection": request.dead_peer_detection,
            "force_encapsulation": request.force_encapsulation,
            "split_connections": request.split_connections,
            "ike_version": check_ike_version(request.ike_version),
        }

    def _cidrs(self, text: str) -> tuple[str, ...]:
        nets: list[ipaddress.IPv4Network] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            try:
                net = ipaddress.IPv4Network(part, strict=False)
            except ValueError:
                raise InvalidParameterValue(
                    f"The customer gateway peer cidr list {text} contains an invalid cidr: {part}"
                ) from None
            if any(net.overlaps(other) for other in nets):
                raise InvalidParameterValue(f"The customer gateway peer cidr list {text} overlaps itself at {net}")
            nets.append(net)
        most = self._foundation.settings.integer("site2site.vpn.customergateway.subnets.limit")
        if not 0 < len(nets) <= most:
            raise InvalidParameterValue(f"cidrlist must have from 1 to {most} CIDRs, not {len(nets)}")
        return tuple(map(str, nets))

    def check_deletable(self, gateway: VpnCustomerGateway) -> None:
        """Raise what stands against deleting the gateway."""
        if self._connections.count("customer_gateway_id", gateway.id):
            raise ResourceInUse(
                f"Unable to delete VPN customer gateway {gateway.name} because there is still related VPN connections!"
            )

    def delete(self, gateway_id: str) -> None:
        """Remove a gateway that nothing is connected with."""
        self.check_deletable(self._table[gateway_id])
        with self._store.transaction():
            remove_leftovers(self._foundation, gateway_id)
            self._table.delete(gateway_id)


def _peer(text: str) -> str:
    peer = text.strip()
    if re.fullmatch(r"[0-9.]+", peer):
        try:
            return str(ipaddress.IPv4Address(peer))
        except ValueError:
            pass
    elif HOST_NAME.match(peer):
        return peer
    raise InvalidParameterValue(f"The customer gateway ip/Domain {text} is invalid!")
