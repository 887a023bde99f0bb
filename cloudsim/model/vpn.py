"""Virtual private networks: users who dial in to a network, and sites that are joined to a VPC."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row


class RemoteAccessVpn(Row, frozen=True, kw_only=True):
    """Dial-in to the network or VPC of a public address; clients get addresses of `ip_range`."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=("public_ip_id",))

    public_ip_id: str
    account_id: str
    domain_id: str
    preshared_key: str
    ip_range: str
    network_id: str | None = None
    vpc_id: str | None = None
    state: Literal["Added", "Running", "Removed"] = "Added"
    display: bool = True
    created: float = 0.0


class VpnUser(Row, frozen=True, kw_only=True):
    """Who may dial in to any of an account's networks."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    password: str
    account_id: str
    domain_id: str
    state: Literal["Add", "Active", "Revoke"] = "Active"


class VpnGateway(Row, frozen=True, kw_only=True):
    """A VPC's end of its site-to-site connections: one for each VPC, on a public address of it."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=("vpc_id",))

    vpc_id: str
    public_ip_id: str
    account_id: str
    domain_id: str
    display: bool = True
    created: float = 0.0


class VpnCustomerGateway(Row, frozen=True, kw_only=True):
    """The other site's end: its address, its networks, and what both agree on. Lifetimes in seconds."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    gateway: str
    cidrs: tuple[str, ...]
    preshared_key: str
    ike_policy: str
    esp_policy: str
    account_id: str
    domain_id: str
    ike_lifetime: int = 86_400
    esp_lifetime: int = 3_600
    dead_peer_detection: bool = False
    force_encapsulation: bool = False
    split_connections: bool = False
    ike_version: str = "ike"
    created: float = 0.0


class VpnConnection(Row, frozen=True, kw_only=True):
    """A connection of a VPC's gateway with a customer's; `passive` waits for the other side."""

    keys: ClassVar[Keys] = Keys(
        indexes=("account_id", "vpn_gateway_id", "customer_gateway_id"),
        unique=(("vpn_gateway_id", "customer_gateway_id"),),
    )

    vpn_gateway_id: str
    customer_gateway_id: str
    account_id: str
    domain_id: str
    passive: bool = False
    state: Literal["Pending", "Connecting", "Connected", "Disconnected", "Removed"] = "Pending"
    display: bool = True
    created: float = 0.0
