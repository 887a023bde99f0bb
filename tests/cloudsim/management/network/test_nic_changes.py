"""What a change of an instance's NICs means for its host and for the routers of its networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.model import Network, Nic, VirtualMachine
from cloudsim.protocol.router import RouterGuest
from cloudsim.protocol.specs import NicSpec
from tests.cloudsim.management.storage.test_volumes import refuse
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud


@pytest.fixture(scope="module")
def routed() -> Iterator[RoutedCloud]:
    made = RoutedCloud()
    made.front = made.network("front")  # type: ignore[attr-defined]
    made.web = made.deploy("web", network=made.front)  # type: ignore[attr-defined]
    yield made
    made.close()


def card(cloud: RoutedCloud, nic: Nic) -> NicSpec:
    """The card as the instance's host has it."""
    vm = cloud.table(VirtualMachine)[nic.vm_id]
    host = next(h for h in cloud.world.hosts.values() if vm.instance_name in h.hypervisor.guests)
    nics = host.hypervisor.guests[vm.instance_name].nics
    found: NicSpec = next(each for each in nics if each.id == nic.id)
    return found


def lease(cloud: RoutedCloud, network: Network, nic: Nic) -> RouterGuest | None:
    """What the network's router knows of the card."""
    cloud.wait(5)
    (served,) = cloud.appliance(cloud.router_of(network)).configuration.guests
    return next((guest for guest in served.guests if guest.mac == nic.mac), None)


def nics(cloud: Any) -> list[Nic]:
    found: list[Nic] = cloud.manager.nics.of(cloud.web)
    return found


def test_a_second_nic_has_its_lease_before_it_is_plugged_and_loses_it_when_it_goes(routed: Any) -> None:
    changes = routed.manager.nic_changes
    back = routed.network("back", gateway="10.1.2.1", netmask="255.255.255.0")
    routed.do(changes.add(routed.web.id, back.id, ip="10.1.2.77"))
    added = nics(routed)[1]
    guest = lease(routed, back, added)
    assert guest is not None and (guest.ip, guest.default) == ("10.1.2.77", False)
    routed.do(changes.set_default(routed.web, added))
    assert (card(routed, added).default, card(routed, nics(routed)[0]).default) == (True, False)
    first, second = lease(routed, routed.front, nics(routed)[0]), lease(routed, back, added)
    assert first is not None and second is not None and (first.default, second.default) == (False, True)
    routed.do(changes.set_default(routed.table(VirtualMachine)[routed.web.id], nics(routed)[0]))
    routed.do(changes.remove(routed.web.id, added.id))
    assert lease(routed, back, added) is None


def test_host_and_router_know_a_running_instances_secondary_addresses(routed: Any) -> None:
    changes = routed.manager.nic_changes
    nic, secondary_id = routed.do(changes.add_ip(nics(routed)[0], "10.1.1.77"))
    assert card(routed, nic).secondary_ips == ("10.1.1.77",)
    guest = lease(routed, routed.front, nic)
    assert guest is not None and guest.secondary_ips == ("10.1.1.77",)
    routed.do(changes.remove_ip(nic, secondary_id))
    assert card(routed, nic).secondary_ips == ()
    guest = lease(routed, routed.front, nic)
    assert guest is not None and guest.secondary_ips == ()
    with pytest.raises(InvalidParameterValue, match="Unable to find the secondary IP"):
        routed.manager.nics.with_secondary(secondary_id)


def test_a_host_that_refuses_leaves_addresses_and_default_as_they_were(
    routed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = routed.manager.nic_changes
    _, secondary_id = routed.do(changes.add_ip(nics(routed)[0]))
    side = routed.network("side", gateway="10.1.3.1", netmask="255.255.255.0")
    routed.do(changes.add(routed.web.id, side.id))
    before = nics(routed)
    refuse(routed, "plug_nic", monkeypatch)
    web = routed.table(VirtualMachine)[routed.web.id]
    for change in (
        changes.add_ip(before[0]),
        changes.remove_ip(before[0], secondary_id),
        changes.set_default(web, before[1]),
    ):
        with pytest.raises(CloudError, match="on fire"):
            routed.do(change)
    assert nics(routed) == before


def test_nobody_has_more_than_256_secondary_addresses(routed: Any) -> None:
    (nic, *_) = nics(routed)
    full = tuple((str(number), f"10.9.{number // 200}.{number % 200}") for number in range(256))
    with pytest.raises(InvalidParameterValue, match="Maximum Number of Ips per Nic"):
        routed.do(routed.manager.nic_changes.add_ip(replace(nic, secondary_ips=full)))


def test_nics_of_instances_in_basic_zones_stay_as_they_are(routed: Any) -> None:
    zone = routed.manager.zones.create(name="basic", network_type="Basic", dns1="8.8.8.8", internal_dns1="8.8.4.4")
    network = next(n for n in routed.table(Network) if n.zone_id == zone.id)
    vm = replace(routed.web, zone_id=zone.id)
    with pytest.raises(InvalidParameterValue, match="NetworkType of Basic"):
        routed.manager.nic_changes.check_addable(vm, network, None, None)
