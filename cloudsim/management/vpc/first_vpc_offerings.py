"""The VPC offerings that every cloud has from the start, under the names by which clients look them up."""

from __future__ import annotations

from typing import Literal, NamedTuple

from cloudsim.management.foundation import Foundation
from cloudsim.model import NetworkAcl, NetworkAclList, VpcOffering
from cloudsim.store import Store

DEFAULT_ALLOW, DEFAULT_DENY = "default_allow", "default_deny"
"""The access control lists that belong to no VPC, by name."""
FIRST_LISTS: tuple[tuple[str, Literal["Allow", "Deny"], str], ...] = (
    (DEFAULT_ALLOW, "Allow", "Default Network ACL Allow All"),
    (DEFAULT_DENY, "Deny", "Default Network ACL Deny All"),
)
"""Their names, what their rules do with all traffic, their descriptions."""
DIRECTIONS: tuple[Literal["Ingress", "Egress"], ...] = ("Ingress", "Egress")
_ROUTER = "VpcVirtualRouter"
_BY_ROUTER = (
    "Dhcp",
    "Dns",
    "Gateway",
    "NetworkACL",
    "PortForwarding",
    "SourceNat",
    "StaticNat",
    "UserData",
    "Vpn",
)


class FirstVpcOffering(NamedTuple):
    """A VPC offering to begin with; one that is not `usable` is there by name, disabled."""

    name: str
    display_text: str
    balancers: tuple[str, ...]
    usable: bool = True


FIRST_VPC_OFFERINGS: tuple[FirstVpcOffering, ...] = (
    FirstVpcOffering("Default VPC offering", "Default VPC offering", (_ROUTER, "InternalLbVm")),
    FirstVpcOffering(
        "Default VPC  offering with Netscaler",
        "Default VPC offering with Netscaler",
        ("Netscaler", "InternalLbVm"),
        usable=False,
    ),
    FirstVpcOffering(
        "Redundant VPC offering",
        "VPC offering with one router, under the name that clients ask for: redundant routers are not supported",
        (_ROUTER, "InternalLbVm"),
    ),
)
"""In the order in which a fresh cloud lists them."""


def default_list(store: Store, name: str) -> NetworkAclList:
    """The list `default_allow` or `default_deny`. They are the first two of the table: they are there from the start."""
    return next(each for each in store.table(NetworkAclList) if each.vpc_id is None and each.name == name)


def seed_vpc_rows(foundation: Foundation) -> None:
    """Insert the first offerings, and the lists that let everything or nothing through. Needs an open transaction."""
    randomness = foundation.randomness.branch("first vpc rows")
    now = foundation.now()
    offerings = foundation.table(VpcOffering)
    for each in FIRST_VPC_OFFERINGS:
        offerings.insert(
            VpcOffering(
                id=randomness.uuid(),
                name=each.name,
                display_text=each.display_text,
                services={name: (_ROUTER,) for name in _BY_ROUTER} | {"Lb": each.balancers},
                state="Enabled" if each.usable else "Disabled",
                is_default=True,
                created=now,
            )
        )
    lists, rules = foundation.table(NetworkAclList), foundation.table(NetworkAcl)
    for name, action, what in FIRST_LISTS:
        made = lists.insert(NetworkAclList(id=randomness.uuid(), name=name, description=what, created=now))
        for number, direction in enumerate(DIRECTIONS, start=1):
            rules.insert(
                NetworkAcl(
                    id=randomness.uuid(),
                    list_id=made.id,
                    number=number,
                    protocol="all",
                    action=action,
                    traffic_type=direction,
                    cidrs=("0.0.0.0/0", "::/0"),
                    created=now,
                )
            )
