"""What a router is told of the instances in its network follows every row that it is made of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudsim.model import Nic, ServiceOffering, VirtualMachine, Zone
from cloudsim.protocol.router import RouterGuest
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud


@pytest.fixture
def cloud() -> Iterator[RoutedCloud]:
    made = RoutedCloud()
    yield made
    made.close()


def test_a_change_of_any_row_is_told_and_what_is_unchanged_is_told_as_before(cloud: RoutedCloud) -> None:
    network = cloud.network()
    first, second = cloud.deploy(network=network), cloud.deploy(network=network, name="second")
    store, appliance = cloud.manager.store, cloud.appliance(cloud.router_of(network))

    def told() -> dict[str, RouterGuest]:
        cloud.do(cloud.manager.routers.sync(network.id))
        assert appliance.configuration is not None
        return {guest.vm_id: guest for guest in appliance.configuration.guests[0].guests}

    before = told()
    assert set(before) == {first.id, second.id}
    with store.transaction():
        cloud.table(VirtualMachine).update(first.id, user_data="new", password="secret")
    assert (told()[first.id].user_data, told()[first.id].password) == ("new", "secret")
    assert told()[second.id] == before[second.id]
    [nic] = cloud.table(Nic).where("vm_id", first.id)
    with store.transaction():
        cloud.table(Nic).update(nic.id, ip="10.1.1.200")
    assert told()[first.id].ip == "10.1.1.200"
    with store.transaction():
        cloud.table(ServiceOffering).update(first.service_offering_id, name="renamed")
        cloud.table(Zone).update(network.zone_id, name="elsewhere")
    assert {str(guest.metadata) for guest in told().values()} == {
        "{'service-offering': 'renamed', 'availability-zone': 'elsewhere'}"
    }
    cloud.do(cloud.manager.vms.destroyed(cloud.admin, second.id, expunge=True))
    assert set(told()) == {first.id}
