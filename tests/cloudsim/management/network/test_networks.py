"""Guest networks, and the NICs of instances on them."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied, ResourceInUse
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.network_life import NEXT
from cloudsim.management.network.network_offerings import NetworkOfferingRequest
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.model import Account, Network, Nic
from tests.cloudsim.management.cloud_harness import Cloud
from tests.cloudsim.management.storage.test_volumes import refuse

SHARED = {
    "gateway": "172.20.0.1",
    "netmask": "255.255.255.0",
    "start_ip": "172.20.0.10",
    "end_ip": "172.20.0.20",
}


def make(cloud: Cloud, name: str = "net", offering: str | None = None, **fields: Any) -> Network:
    chosen = cloud.network_offering(offering) if offering else cloud.network_offering()
    made: Network = cloud.manager.networks.create(
        cloud.admin, cloud.owner, cloud.zone, chosen, NetworkRequest(name=name, **fields)
    )
    return made


def test_an_isolated_network_has_the_zones_guest_cidr_unless_it_has_its_own(cloud: Cloud) -> None:
    plain = make(cloud)
    assert (plain.state, plain.cidr, plain.gateway) == ("Allocated", "10.1.1.0/24", "10.1.1.1")
    own = make(cloud, gateway="192.168.7.254", netmask="255.255.255.0")
    assert (own.cidr, own.gateway, own.netmask, own.vlan) == (
        "192.168.7.0/24",
        "192.168.7.254",
        "255.255.255.0",
        None,
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"gateway": "10.1.1.1"}, "together"),
        ({"gateway": "10.1.1", "netmask": "255.255.255.0"}, "Invalid gateway"),
        ({"gateway": "10.1.1.0", "netmask": "255.255.255.0"}, "not an address"),
        ({"gateway": "8.8.8.1", "netmask": "255.255.255.0"}, "not RFC 1918"),
        ({"gateway": "10.1.1.1", "netmask": "255.255.255.0", "start_ip": "10.1.2.5"}, "not an address of"),
        ({"vlan": "300"}, "does not allow it"),
        ({"network_domain": "-x"}, "Invalid network domain"),
        ({"acl_type": "Domain"}, "AclType should be Account"),
        ({"name": " "}, "needs a name"),
    ],
)
def test_what_an_isolated_network_cannot_be(cloud: Cloud, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        make(cloud, **fields)


def test_offerings_that_no_network_can_be_made_from(cloud: Cloud) -> None:
    with pytest.raises(InvalidParameterValue, match="not Enabled"):
        make(cloud, offering="DefaultNSXNetworkOffering")
    tier = cloud.manager.network_offerings.create(
        NetworkOfferingRequest(name="tier", guest_type="Isolated", for_vpc=True, enable=True)
    )
    with pytest.raises(InvalidParameterValue, match="VPC networks only"):
        make(cloud, offering=tier.name)


def test_shared_networks_are_for_their_domain_and_do_not_overlap_on_a_vlan(cloud: Cloud) -> None:
    offering = "DefaultSharedNetworkOffering"
    shared = make(cloud, offering=offering, vlan="1234", **SHARED)
    assert (shared.state, shared.acl_type, shared.vlan) == ("Setup", "Domain", "1234")
    with pytest.raises(InvalidParameterValue, match="overlaps"):
        make(cloud, offering=offering, vlan="vlan://1234", **SHARED)
    assert make(cloud, offering=offering, vlan="1235", **SHARED).vlan == "1235"
    with pytest.raises(InvalidParameterValue, match="dynamic vlan allocation"):
        make(cloud, offering=offering, vlan="105", **SHARED)
    with pytest.raises(InvalidParameterValue, match="Vlan tag is required"):
        make(cloud, offering=offering, **SHARED)
    with pytest.raises(InvalidParameterValue, match="are required"):
        make(cloud, offering=offering, vlan="1236")
    user = Account(id="u", name="u", type=0, domain_id=cloud.owner.domain_id)
    with pytest.raises(PermissionDenied, match="administrator"):
        cloud.manager.networks.create(
            Caller(user),
            user,
            cloud.zone,
            cloud.network_offering(offering),
            NetworkRequest(name="n", **SHARED),
        )


def test_an_l2_network_has_no_addresses(cloud: Cloud) -> None:
    plain = make(cloud, offering="DefaultL2NetworkOffering")
    assert (plain.cidr, plain.gateway, plain.guest_type) == (None, None, "L2")
    with pytest.raises(InvalidParameterValue, match="L2 network"):
        make(cloud, offering="DefaultL2NetworkOffering", gateway="10.0.0.1", netmask="255.0.0.0")


def test_a_zone_has_one_default_network_with_room_for_many(cloud: Cloud) -> None:
    default = cloud.manager.networks.defaults.of(cloud.zone)
    assert default is cloud.manager.networks.defaults.ensure(cloud.zone)
    assert (default.cidr, default.acl_type, default.guest_type) == ("10.1.0.0/16", "Domain", "Shared")
    other = cloud.manager.zones.create(
        name="z2", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8"
    )
    assert cloud.manager.networks.defaults.of(other).cidr == "10.0.0.0/8"
    with pytest.raises(InvalidParameterValue, match="default network"):
        cloud.do(cloud.manager.network_life.delete(default.id))


def test_a_network_gets_a_vlan_of_its_own_while_it_is_used(cloud: Cloud) -> None:
    life = cloud.manager.network_life
    a, b = make(cloud, "a"), make(cloud, "b")
    assert [cloud.do(life.implement(each.id)).vlan for each in (a, b)] == ["100", "101"]
    assert cloud.do(life.implement(a.id)).state == "Implemented"
    assert cloud.do(life.release_idle()) == 2
    assert cloud.table(Network)[a.id] == a
    for n in range(10):
        cloud.do(life.implement(make(cloud, f"n{n}").id))
    with pytest.raises(CloudError, match="no VLAN left"):
        cloud.do(life.implement(a.id))


def test_a_network_that_is_used_stays(cloud: Cloud) -> None:
    network = make(cloud)
    vm = cloud.deploy(network=network)
    assert cloud.table(Network)[network.id].state == "Implemented"
    assert cloud.do(cloud.manager.network_life.release_idle()) == 0
    with pytest.raises(ResourceInUse, match="Vm web is in Running state"):
        cloud.do(cloud.manager.network_life.delete(network.id))
    cloud.do(cloud.manager.vms.destroyed(cloud.admin, vm.id, expunge=True))
    cloud.do(cloud.manager.network_life.delete(network.id))
    assert network.id not in cloud.table(Network)


def test_the_table_of_a_networks_states_is_closed() -> None:
    assert all(after in NEXT for following in NEXT.values() for after in following)


# NICs


def test_a_nic_is_added_to_a_running_instance_and_removed(cloud: Cloud) -> None:
    vm, changes = cloud.deploy(network=make(cloud)), cloud.manager.nic_changes
    second = make(cloud, "second", gateway="10.1.2.1", netmask="255.255.255.0")
    cloud.do(changes.add(vm.id, second.id))
    default, added = cloud.manager.nics.of(vm)
    assert (added.network_id, added.device_id, added.is_default) == (second.id, 1, False)
    assert added.ip is not None and added.ip.startswith("10.1.2.")
    assert cloud.table(Network)[second.id].state == "Implemented"
    with pytest.raises(InvalidParameterValue, match="already exists"):
        cloud.do(changes.add(vm.id, second.id))
    with pytest.raises(InvalidParameterValue, match="default"):
        cloud.do(changes.remove(vm.id, default.id))
    cloud.do(changes.remove(vm.id, added.id))
    assert cloud.manager.nics.of(vm) == [default]
    cloud.do(cloud.manager.network_life.delete(second.id))


def test_the_default_nic_changes(cloud: Cloud) -> None:
    vm, changes = cloud.deploy(network=make(cloud)), cloud.manager.nic_changes
    cloud.do(changes.add(vm.id, make(cloud, "second").id))
    first, second = cloud.manager.nics.of(vm)
    cloud.do(changes.set_default(vm, second))
    assert [nic.is_default for nic in cloud.manager.nics.of(vm)] == [False, True]
    with pytest.raises(InvalidParameterValue, match="already the default"):
        cloud.do(changes.set_default(vm, cloud.table(Nic)[second.id]))
    cloud.do(changes.remove(vm.id, first.id))


def test_a_host_that_refuses_leaves_the_nics_as_they_were(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm, changes, second = cloud.deploy(network=make(cloud)), cloud.manager.nic_changes, make(cloud, "second")
    before = cloud.manager.nics.of(vm)
    with monkeypatch.context() as patch:
        refuse(cloud, "plug_nic", patch)
        with pytest.raises(CloudError, match="on fire"):
            cloud.do(changes.add(vm.id, second.id))
    assert cloud.manager.nics.of(vm) == before
    cloud.do(changes.add(vm.id, second.id))
    added = cloud.manager.nics.of(vm)[1]
    refuse(cloud, "unplug_nic", monkeypatch)
    with pytest.raises(CloudError, match="on fire"):
        cloud.do(changes.remove(vm.id, added.id))
    assert cloud.manager.nics.of(vm) == [*before, added]


def test_secondary_and_other_addresses(cloud: Cloud) -> None:
    vm, changes = cloud.deploy(network=make(cloud)), cloud.manager.nic_changes
    (nic,) = cloud.manager.nics.of(vm)
    changed, secondary_id = cloud.do(changes.add_ip(nic, "10.1.1.77"))
    assert changed.secondary_ips == ((secondary_id, "10.1.1.77"),)
    with pytest.raises(InvalidParameterValue, match="in use already"):
        cloud.do(changes.add_ip(changed, "10.1.1.77"))
    assert cloud.manager.nics.with_secondary(secondary_id).id == nic.id
    assert cloud.do(changes.remove_ip(changed, secondary_id)).secondary_ips == ()
    with pytest.raises(InvalidParameterValue, match="not Stopped"):
        cloud.do(changes.change_ip(nic, "10.1.1.88"))
    cloud.stop(vm)
    cloud.do(changes.change_ip(nic, "10.1.1.88"))
    assert cloud.manager.nics.of(vm)[0].ip == "10.1.1.88"


@pytest.mark.parametrize("mac", ["nonsense", "02:00:00:00:00", "zz:00:00:00:00:01"])
def test_mac_addresses_that_are_none(cloud: Cloud, mac: str) -> None:
    vm, network = cloud.deploy(network=make(cloud)), make(cloud, "second")
    with pytest.raises(InvalidParameterValue, match="Mac address"):
        cloud.do(cloud.manager.nic_changes.add(vm.id, network.id, mac=mac))
