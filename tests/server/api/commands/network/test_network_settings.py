"""Settings of guest networks and public addresses, and what they change on hosts and routers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import ServiceOffering
from tests.server.api.api_harness import refused
from tests.server.api.commands.network.routed_api import RoutedApi


@pytest.fixture
def routed() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def set_(routed: RoutedApi, name: str, value: Any, **where: Any) -> None:
    routed.admin("updateConfiguration", name=name, value=value, **where)


def card(routed: RoutedApi, vm: dict[str, Any], number: int = 0) -> Any:
    """The instance's card as its host knows it."""
    shown = routed.admin("listVirtualMachines", id=vm["id"])["virtualmachine"][0]
    guests = routed.cloud.world.host(shown["hostname"]).hypervisor.guests
    return guests[shown["instancename"]].spec.nics[number]


def test_with_external_dns_the_router_of_a_network_serves_no_names(routed: RoutedApi) -> None:
    reach = routed.reach("10.1.1.1", 53, source=routed.web["nic"][0]["ipaddress"], protocol="udp")
    assert reach.ends
    set_(routed, "use.external.dns", "true", zoneid=routed.zone)
    routed.admin("restartNetwork", id=routed.front["id"], cleanup=True)
    reach = routed.reach("10.1.1.1", 53, source=routed.web["nic"][0]["ipaddress"], protocol="udp")
    assert not reach.ends


def test_cards_have_the_rate_of_offerings_and_else_that_of_the_settings(routed: RoutedApi) -> None:
    assert card(routed, routed.web).rate_mbit is None
    set_(routed, "vm.network.throttling.rate", 300)
    set_(routed, "network.throttling.rate", 100, zoneid=routed.zone)
    vm = routed.deploy("api", routed.front["id"])
    back = routed.network("back")
    routed.admin("addNicToVirtualMachine", virtualmachineid=vm["id"], networkid=back["id"])
    assert [card(routed, vm, number).rate_mbit for number in (0, 1)] == [300, 100]
    offering = routed.admin(
        "createServiceOffering", name="slow", displaytext="slow", cpunumber=1, cpuspeed=500, memory=256, networkrate=50
    )["serviceoffering"]
    small = next(row for row in routed.store.table(ServiceOffering) if row.id == offering["id"])
    assert small.network_rate == 50
    slow = routed.admin(
        "deployVirtualMachine",
        zoneid=routed.zone,
        templateid=routed.cloud.template.id,
        serviceofferingid=small.id,
        networkids=routed.front["id"],
    )["virtualmachine"]
    assert card(routed, slow).rate_mbit == 50


def test_an_account_with_addresses_of_its_own_gets_others_where_it_may(routed: RoutedApi) -> None:
    ann = routed.account("ann")
    account = routed.admin("listAccounts", name="ann")["account"][0]
    own = routed.admin(
        "createVlanIpRange",
        zoneid=routed.zone,
        forvirtualnetwork=True,
        vlan="50",
        gateway="203.0.113.1",
        netmask="255.255.255.0",
        startip="203.0.113.100",
        endip="203.0.113.101",
    )["vlan"]
    where = {"account": "ann", "domainid": account["domainid"]}
    routed.admin("dedicatePublicIpRange", id=own["id"], **where)
    set_(routed, "use.system.public.ips", "false", accountid=account["id"])
    network = routed.network("anns", call=ann)["id"]
    ann("associateIpAddress", networkid=network)
    got = {ip["ipaddress"] for ip in ann("listPublicIpAddresses")["publicipaddress"]}
    assert got == {"203.0.113.100", "203.0.113.101"}, "one of them is the network's source NAT"
    refused(533, ann, "associateIpAddress", networkid=network)
    set_(routed, "use.system.public.ips", "true", accountid=account["id"])
    assert ann("associateIpAddress", networkid=network)["ipaddress"]["ipaddress"] not in got


def test_a_network_gets_name_servers_of_its_own_and_its_router_asks_them(routed: RoutedApi) -> None:
    front = routed.front["id"]

    def asked() -> tuple[str, ...]:
        """Whom the network's router asks, by what it was told."""
        guests = [g for r in routed.cloud.world.reachability().routers for g in r.router.configuration.guests]
        return next(guest.dns for guest in guests if guest.network_id == front)

    assert asked() == ("8.8.8.8",)
    changed = routed.admin("updateNetwork", id=front, dns1="192.0.2.53", dns2="192.0.2.54")["network"]
    assert (changed["dns1"], changed["dns2"]) == ("192.0.2.53", "192.0.2.54") == asked()
    refused(431, routed.admin, "updateNetwork", id=front, dns1="a name server")
    assert "dns2 needs a dns1" in refused(431, routed.admin, "updateNetwork", id=front, dns1="").text
    routed.admin("updateNetwork", id=front, dns1="", dns2="")
    assert asked() == ("8.8.8.8",)


def test_guests_of_a_network_with_external_dns_are_told_its_own_name_servers(routed: RoutedApi) -> None:
    set_(routed, "use.external.dns", "true", zoneid=routed.zone)
    routed.admin("updateNetwork", id=routed.front["id"], dns1="192.0.2.53")
    lease = routed.cloud.world.reachability().lease(routed.web["nic"][0]["macaddress"])
    assert lease is not None and lease.dns == ("192.0.2.53",)
    assert card(routed, routed.deploy("api", routed.front["id"])).dns == ("192.0.2.53",)
