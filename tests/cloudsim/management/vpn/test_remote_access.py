"""Remote access VPN: where one may be, what clients get, and who may dial in."""

from __future__ import annotations

import pytest

from cloudsim.errors import InvalidParameterValue, RuleConflict
from cloudsim.management.network.load_balancers import Balancing
from cloudsim.model import FirewallRule, PublicIp, RemoteAccessVpn, VpnUser
from tests.cloudsim.management.vpn.vpn_bench import VpnBench


def running(bench: VpnBench, address: PublicIp) -> RemoteAccessVpn:
    made: RemoteAccessVpn = bench.do(bench.dial_in.apply(bench.dial_in.create(address).id))
    return made


def test_a_network_is_dialled_through_an_address_whose_firewall_opens_for_that(bench: VpnBench) -> None:
    made = bench.dial_in.create(bench.net_ip)
    assert (made.network_id, made.vpc_id, made.ip_range, made.state) == (
        "net",
        None,
        "10.1.2.1-10.1.2.8",
        "Added",
    )
    assert len(made.preshared_key) == 24
    assert bench.do(bench.dial_in.apply(made.id)).state == "Running"
    assert bench.talking.told == [("sync network", "net")]
    opened = [(rule.protocol, rule.start_port, rule.end_port, rule.state) for rule in bench.rows(FirewallRule)]
    assert opened == [("udp", port, port, "Active") for port in (500, 1701, 4500)]
    bench.do(bench.dial_in.delete(made.id))
    assert (bench.rows(RemoteAccessVpn), bench.rows(FirewallRule)) == ([], [])


def test_a_firewall_may_stay_as_it_is(bench: VpnBench) -> None:
    bench.dial_in.create(bench.net_ip, open_firewall=False)
    assert bench.rows(FirewallRule) == []


def test_a_vpc_is_dialled_through_its_source_nat_address(bench: VpnBench) -> None:
    second = bench.public_ips.acquire(bench.ann, bench.zone, vpc=bench.mine)
    with pytest.raises(InvalidParameterValue, match="only be configured on the Source NAT IP"):
        bench.dial_in.create(second)
    made = running(bench, bench.ip)
    assert (made.network_id, made.vpc_id) == (None, bench.mine.id)
    assert bench.talking.told == [("sync", bench.mine.id)]
    assert bench.rows(FirewallRule) == []


def test_every_vpn_has_a_key_of_its_own(bench: VpnBench) -> None:
    assert running(bench, bench.ip).preshared_key != running(bench, bench.net_ip).preshared_key


def test_a_network_has_one_vpn(bench: VpnBench) -> None:
    running(bench, bench.net_ip)
    with pytest.raises(InvalidParameterValue, match="for this public Ip address"):
        bench.dial_in.create(bench.net_ip)
    second = bench.public_ips.acquire(bench.ann, bench.zone, network=bench.net)
    with pytest.raises(InvalidParameterValue, match="already exists for net"):
        bench.dial_in.create(second)


def test_a_vpn_needs_its_ports(bench: VpnBench) -> None:
    balancers = bench.rules.load_balancers
    asked = Balancing(name="ike", public_port=4500, private_port=4500, algorithm="source", protocol="udp")
    balancers.create(bench.net_ip, asked)
    with pytest.raises(RuleConflict, match="has UDP ports 4500-4500, and a VPN needs 500, 1701, 4500"):
        bench.dial_in.create(bench.net_ip)


def test_an_address_that_leads_nowhere_or_to_an_instance_alone_is_not_dialled(bench: VpnBench) -> None:
    idle = bench.public_ips.acquire(bench.ann, bench.zone)
    with pytest.raises(InvalidParameterValue, match="not ready to be used yet"):
        bench.dial_in.create(idle)
    with bench.store.transaction():
        static = bench.store.table(PublicIp).update(bench.net_ip.id, static_nat_vm_id="vm")
    with pytest.raises(InvalidParameterValue, match="static nat enabled"):
        bench.dial_in.create(static)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.3.3.1", "it is first-last"),
        ("10.3.3.9-10.3.3.1", "it is first-last"),
        ("10.3.3.1-10.3.3.1", "of 2 to"),
        ("8.8.8.1-8.8.8.9", "not of private addresses"),
        ("10.1.1.200-10.1.1.210", r"overlaps with network 10\.1\.1\.0/24"),
        ("10.1.0.200-10.1.2.1", r"overlaps with network 10\.1\.1\.0/24"),
    ],
)
def test_what_clients_cannot_have_for_addresses(bench: VpnBench, text: str, why: str) -> None:
    with pytest.raises(InvalidParameterValue, match=why):
        bench.dial_in.create(bench.net_ip, ip_range=text)
    assert bench.rows(RemoteAccessVpn) == []


def test_a_vpn_that_the_router_does_not_take_is_gone_and_one_that_it_keeps_is_deleted_again(
    bench: VpnBench,
) -> None:
    kept = running(bench, bench.ip)
    bench.talking.broken = True
    bench.refused(bench.dial_in.apply(bench.dial_in.create(bench.net_ip).id))
    assert bench.rows(FirewallRule) == []
    bench.refused(bench.dial_in.delete(kept.id))
    assert [(each.id, each.state) for each in bench.rows(RemoteAccessVpn)] == [(kept.id, "Removed")]
    bench.talking.broken = False
    bench.do(bench.dial_in.delete(kept.id))
    assert bench.rows(RemoteAccessVpn) == []
    with pytest.raises(InvalidParameterValue, match="no remote access VPN on public address"):
        bench.dial_in.on_address(bench.ip)


# users


def test_a_user_may_dial_in_to_every_network_of_the_account(bench: VpnBench) -> None:
    running(bench, bench.ip)
    running(bench, bench.net_ip)
    bench.talking.told.clear()
    user = bench.dial_in.create_user(bench.ann, "carol", "secret1")
    assert user.state == "Add"
    assert bench.do(bench.dial_in.apply_user(user.id)).state == "Active"
    assert bench.talking.told == [("sync", bench.mine.id), ("sync network", "net")]
    bench.do(bench.dial_in.delete_user(bench.dial_in.user_named(bench.ann, "carol").id))
    assert bench.rows(VpnUser) == []


@pytest.mark.parametrize(
    ("name", "password", "text"),
    [
        ("c", "secret1", "Username has to be"),
        ("-carol", "secret1", "Username has to be"),
        ("car ol", "secret1", "Username has to be"),
        ("carol", "ab", "Password has to be"),
        ("carol", 'sec"ret', "Password has to be"),
        ("carol", "s" * 33, "Password has to be"),
    ],
)
def test_what_users_cannot_be_called_and_have_for_a_password(
    bench: VpnBench, name: str, password: str, text: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        bench.dial_in.create_user(bench.ann, name, password)


def test_an_account_has_so_many_users_as_the_setting_allows_each_by_one_name(bench: VpnBench) -> None:
    with bench.store.transaction():
        bench.foundation.settings.set("remote.access.vpn.user.limit", "2")
    bench.dial_in.create_user(bench.ann, "carol", "secret1")
    with pytest.raises(InvalidParameterValue, match="already added for account ann"):
        bench.dial_in.create_user(bench.ann, "carol", "secret2")
    bench.dial_in.create_user(bench.ann, "dave", "secret1")
    with pytest.raises(InvalidParameterValue, match="more than 2 remote access vpn users"):
        bench.dial_in.create_user(bench.ann, "erin", "secret1")
    bench.dial_in.create_user(bench.bob, "carol", "secret1")


def test_a_user_whom_a_router_does_not_take_is_gone_and_one_whom_it_keeps_is_removed_again(
    bench: VpnBench,
) -> None:
    running(bench, bench.ip)
    kept = bench.do(bench.dial_in.apply_user(bench.dial_in.create_user(bench.ann, "carol", "secret1").id))
    bench.talking.broken = True
    bench.refused(bench.dial_in.apply_user(bench.dial_in.create_user(bench.ann, "dave", "secret1").id))
    bench.refused(bench.dial_in.delete_user(kept.id))
    assert [(user.name, user.state) for user in bench.rows(VpnUser)] == [("carol", "Revoke")]
    bench.talking.broken = False
    bench.do(bench.dial_in.delete_user(kept.id))
    with pytest.raises(InvalidParameterValue, match="Could not find vpn user carol"):
        bench.dial_in.user_named(bench.ann, "carol")
