"""What of VPCs and VPNs was left half done: by a server that died, or by routers that could not be told."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpc.acls import vpcs_with
from cloudsim.model import (
    FirewallRule,
    NetworkAcl,
    NetworkAclList,
    PrivateGateway,
    RemoteAccessVpn,
    StaticRoute,
    SystemVm,
    VpnConnection,
    VpnGateway,
    VpnUser,
)
from cloudsim.store import Row

Removal = tuple[type[Row], str, Callable[[str], Coroutine[Any, Any, None]]]
"""A kind of row, its state once it is to go, and what takes one out of force and removes it."""


class Removals:
    """Removes what could not be removed when that was asked for. `hold` does work on a row that no job is `busy` with."""

    def __init__(
        self,
        foundation: Foundation,
        busy: Callable[[str], bool],
        hold: Callable[[str, Callable[[], Coroutine[Any, Any, Any]]], Coroutine[Any, Any, Any]],
        removals: Sequence[Removal],
    ) -> None:
        self._foundation = foundation
        self._busy = busy
        self._hold = hold
        self._removals = removals

    async def retry(self) -> int:
        """Try all of them; how many are gone now. To be called now and then."""
        done = 0
        for kind, state, remove in self._removals:
            table: Any = self._foundation.table(kind)
            for row_id in [row.id for row in table if row.state == state]:
                if row_id not in table or self._busy(row_id):
                    continue
                try:
                    await self._hold(row_id, partial(remove, row_id))
                    done += 1
                except CloudError:
                    continue  # the router is away still
        return done


def settle_vpcs(foundation: Foundation) -> None:
    """Remove what was coming or going, in one transaction. Routers that may still have it are told when they are seen.

    Private gateways become Deleting, to be deleted by who made them: a router may have a leg in their VLAN.
    """
    with foundation.store.transaction():
        vpcs = _rules(foundation) | _connections(foundation)
        networks, more = _dial_in(foundation)
        gateways = foundation.table(PrivateGateway)
        for gateway in [each for each in gateways if each.state == "Creating"]:
            gateways.update(gateway.id, state="Deleting")
            vpcs.add(gateway.vpc_id)
        routers = foundation.table(SystemVm)
        behind = [row for vpc_id in vpcs | more for row in routers.where("vpc_id", vpc_id)]
        behind += [row for network_id in networks for row in routers.where("network_id", network_id)]
        for row in behind:  # it has acknowledged fewer configurations than it was to have: the watch sees that
            routers.update(row.id, configured=row.configured + 1)


def _remove(foundation: Foundation, kind: Any, row_id: str) -> None:
    remove_leftovers(foundation, row_id)
    foundation.table(kind).delete(row_id)


def _rules(foundation: Foundation) -> set[str]:
    """The VPCs of access control rules and static routes that were removed."""
    lists = foundation.table(NetworkAclList)
    vpcs: set[str] = set()
    for rule in [each for each in foundation.table(NetworkAcl) if each.state != "Active"]:
        vpcs |= set(vpcs_with(foundation.store, lists[rule.list_id]))
        _remove(foundation, NetworkAcl, rule.id)
    for route in [each for each in foundation.table(StaticRoute) if each.state != "Active"]:
        vpcs.add(route.vpc_id)
        _remove(foundation, StaticRoute, route.id)
    return vpcs


def _connections(foundation: Foundation) -> set[str]:
    """The VPCs of connections that were removed."""
    gateways = foundation.table(VpnGateway)
    vpcs = set()
    for connection in [each for each in foundation.table(VpnConnection) if each.state in ("Connecting", "Removed")]:
        vpcs.add(gateways[connection.vpn_gateway_id].vpc_id)
        _remove(foundation, VpnConnection, connection.id)
    return vpcs


def _dial_in(foundation: Foundation) -> tuple[set[str], set[str]]:
    """The networks and the VPCs of dial-in VPNs and users that were removed."""
    networks, vpcs = set(), set()
    vpns, users = foundation.table(RemoteAccessVpn), foundation.table(VpnUser)
    accounts = set()
    for user in [each for each in users if each.state != "Active"]:
        accounts.add(user.account_id)
        _remove(foundation, VpnUser, user.id)
    for vpn in list(vpns):
        if vpn.state != "Running" or vpn.account_id in accounts:
            networks.add(vpn.network_id or "")
            vpcs.add(vpn.vpc_id or "")
        if vpn.state != "Running":
            for rule in foundation.table(FirewallRule).where("related_id", vpn.id):
                _remove(foundation, FirewallRule, rule.id)
            _remove(foundation, RemoteAccessVpn, vpn.id)
    return networks, vpcs
