"""After the server died: what was coming or going is undone, what was in force stays, and routers are told.

What could not be removed because a router was away is removed when it is back.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cloudsim.management.vpc.acl_rules import AclRuleRequest
from cloudsim.management.vpc.private_gateways import PrivateGatewayRequest
from cloudsim.management.vpc.unfinished import Removals, settle_vpcs
from cloudsim.model import (
    FirewallRule,
    NetworkAcl,
    PrivateGateway,
    RemoteAccessVpn,
    StaticRoute,
    SystemVm,
    VpnConnection,
    VpnGateway,
    VpnUser,
)
from tests.cloudsim.management.vpn.vpn_bench import VpnBench


@pytest.fixture
def bench() -> VpnBench:
    return VpnBench()


def router(bench: VpnBench, name: str, **serves: str) -> SystemVm:
    with bench.store.transaction():
        made: SystemVm = bench.add(
            SystemVm(id=name, kind="DomainRouter", zone_id="zone", configured=7, **serves)
        )
    return made


def test_rules_and_routes_that_were_coming_or_going_are_gone_and_their_router_is_behind(bench: VpnBench) -> None:
    mine = router(bench, "mine", vpc_id=bench.mine.id)
    others = router(bench, "others", vpc_id="other")
    acl = bench.acl(bench.mine)
    kept = bench.rule(acl)
    bench.acls.create_rule(acl, None, AclRuleRequest(protocol="udp"))
    request = PrivateGatewayRequest(ip="10.99.0.2", gateway="10.99.0.1", netmask="255.255.255.0", vlan="400")
    ready = bench.do(bench.gateways.apply(bench.gateways.create(bench.mine, request).id))
    coming = bench.gateways.create(
        bench.mine,
        PrivateGatewayRequest(ip="10.98.0.2", gateway="10.98.0.1", netmask="255.255.255.0", vlan="401"),
    )
    route = bench.do(bench.routes.apply(bench.routes.create("10.200.0.0/16", gateway=ready).id))
    bench.routes.create("10.201.0.0/16", gateway=ready)
    settle_vpcs(bench.foundation)
    assert [rule for rule in bench.rows(NetworkAcl) if rule.list_id == acl.id] == [kept]
    assert bench.rows(StaticRoute) == [route]
    assert [(each.id, each.state) for each in bench.rows(PrivateGateway)] == [
        (ready.id, "Ready"),
        (coming.id, "Deleting"),
    ]
    assert (bench.now(mine).configured, bench.now(others).configured) == (8, 7)


def test_connections_that_were_coming_or_going_are_gone(bench: VpnBench) -> None:
    mine = router(bench, "mine", vpc_id=bench.mine.id)
    kept = bench.connect(bench.customer())
    (gateway,) = bench.rows(VpnGateway)
    bench.sites.create(gateway, bench.customer(gateway="198.51.100.2", cidrs="10.252.0.0/16"))
    settle_vpcs(bench.foundation)
    assert bench.rows(VpnConnection) == [kept]
    assert bench.now(mine).configured == 8


def test_dial_in_that_was_coming_is_gone_with_what_was_opened_for_it(bench: VpnBench) -> None:
    mine, nets = router(bench, "mine", vpc_id=bench.mine.id), router(bench, "nets", network_id="net")
    bench.dial_in.create(bench.net_ip)
    settle_vpcs(bench.foundation)
    assert (bench.rows(RemoteAccessVpn), bench.rows(FirewallRule)) == ([], [])
    assert (bench.now(mine).configured, bench.now(nets).configured) == (7, 8)


def test_a_user_who_was_coming_is_gone_and_every_network_of_the_account_is_told(bench: VpnBench) -> None:
    mine, nets = router(bench, "mine", vpc_id=bench.mine.id), router(bench, "nets", network_id="net")
    for address in (bench.ip, bench.net_ip):
        bench.do(bench.dial_in.apply(bench.dial_in.create(address).id))
    bench.dial_in.create_user(bench.ann, "carol", "secret1")
    settle_vpcs(bench.foundation)
    assert bench.rows(VpnUser) == []
    assert len(bench.rows(RemoteAccessVpn)) == 2
    assert (bench.now(mine).configured, bench.now(nets).configured) == (8, 8)


def test_where_nothing_was_unfinished_nothing_changes(bench: VpnBench) -> None:
    mine = router(bench, "mine", vpc_id=bench.mine.id)
    bench.rule(bench.acl(bench.mine))
    bench.connect(bench.customer())
    before = bench.store.sequence
    settle_vpcs(bench.foundation)
    assert bench.store.sequence == before
    assert bench.now(mine) == mine


def test_what_a_router_kept_is_removed_once_it_is_back(bench: VpnBench) -> None:
    acl = bench.acl(bench.mine)
    bench.tier(bench.mine, acl=acl)
    rule, kept = bench.rule(acl), bench.rule(acl)
    connection = bench.connect(bench.customer())
    bench.routers.broken = bench.talking.broken = True
    bench.refused(bench.acls.delete_rule(rule.id))
    bench.refused(bench.sites.delete(connection.id))
    busy: set[str] = set()
    held: list[str] = []

    async def hold(row_id: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        held.append(row_id)
        return await work()

    removals = Removals(
        bench.foundation,
        busy.__contains__,
        hold,
        (
            (NetworkAcl, "Revoke", bench.acls.delete_rule),
            (VpnConnection, "Removed", bench.sites.delete),
        ),
    )
    assert bench.do(removals.retry()) == 0
    bench.routers.broken = False
    busy.add(rule.id)
    held.clear()
    assert bench.do(removals.retry()) == 0
    assert held == [connection.id]
    busy.clear()
    assert bench.do(removals.retry()) == 1
    bench.talking.broken = False
    assert bench.do(removals.retry()) == 1
    assert bench.acls.rules_of(acl.id) == [kept]
    assert bench.rows(VpnConnection) == []
