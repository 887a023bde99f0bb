"""Public addresses: given once, of ranges that the account may use, within its limit, and given back."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import (
    CloudError,
    InsufficientAddressCapacity,
    InvalidParameterValue,
    PermissionDenied,
    ResourceAllocationFailed,
    ResourceInUse,
)
from cloudsim.management.identity.limited_resources import BY_NAME
from cloudsim.management.network.public_ips import PublicIps, address_of_id, public_ip_id
from cloudsim.model import Pod, PodIp, PublicIp, ResourceTag
from tests.cloudsim.management.network.site import Site


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_account_gets_a_free_address_of_the_zone(site: Site) -> None:
    row = site.public()
    network = site.network(site.ann)
    ip = site.ips.acquire(site.ann, site.zone, network=network, source_nat=True)
    assert (ip.ip, ip.range_id, ip.account_id, ip.network_id) == (
        "192.0.2.10",
        row.id,
        site.ann.id,
        network.id,
    )
    assert (ip.state, ip.source_nat, ip.system) == ("Allocated", True, False)
    assert site.ips.source_nat_of(network) == ip
    assert site.ips.count(row) == (10, 1)


def test_a_zone_without_public_addresses_has_none_to_give(site: Site) -> None:
    with pytest.raises(InsufficientAddressCapacity, match="zone z has no free public IP address"):
        site.ips.acquire(site.ann, site.zone)


def test_a_range_is_given_to_its_last_address_and_one_that_came_back_is_given_again(site: Site) -> None:
    site.public("192.0.2.10", "192.0.2.12")
    taken = [site.ips.acquire(site.ann, site.zone) for _ in range(3)]
    assert {ip.ip for ip in taken} == {"192.0.2.10", "192.0.2.11", "192.0.2.12"}
    with pytest.raises(InsufficientAddressCapacity):
        site.ips.acquire(site.ann, site.zone)
    site.ips.release(taken[1])
    assert site.ips.acquire(site.bob, site.zone).ip == "192.0.2.11"


def test_an_address_of_a_transaction_that_fails_is_not_lost(site: Site) -> None:
    site.public("192.0.2.10", "192.0.2.11")
    with pytest.raises(RuntimeError), site.store.transaction():
        site.ips.acquire(site.ann, site.zone)
        site.ips.acquire(site.ann, site.zone)
        raise RuntimeError
    assert {site.ips.acquire(site.ann, site.zone).ip for _ in range(2)} == {"192.0.2.10", "192.0.2.11"}


def test_an_address_can_be_asked_for(site: Site) -> None:
    site.public()
    assert site.ips.acquire(site.ann, site.zone, wanted="192.0.2.15").ip == "192.0.2.15"


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("192.0.2.9", "not a public address"),
        ("192.0.2.15", "in use"),
        ("over there", "not a valid IP address"),
    ],
)
def test_an_address_that_cannot_be_had_is_refused_and_changes_nothing(
    site: Site, wanted: str, text: str
) -> None:
    site.public()
    site.ips.acquire(site.bob, site.zone, wanted="192.0.2.15")
    with pytest.raises(InvalidParameterValue, match=text):
        site.ips.acquire(site.ann, site.zone, wanted=wanted)
    assert len(site.addresses()) == 1


def test_the_accounts_limit_holds(site: Site) -> None:
    site.public()
    site.limits.set(site.admin, site.ann, BY_NAME["public_ip"], 1)
    site.ips.acquire(site.ann, site.zone)
    with pytest.raises(ResourceAllocationFailed):
        site.ips.acquire(site.ann, site.zone)
    assert site.limits.count(site.ann.id, BY_NAME["public_ip"]) == 1
    site.ips.acquire(site.bob, site.zone)


def test_ranges_dedicated_to_the_account_come_first_and_are_for_nobody_else(site: Site) -> None:
    site.public()
    site.public("192.0.2.30", "192.0.2.30", owner=site.ann)
    assert [site.ips.acquire(site.ann, site.zone).ip for _ in range(2)] == ["192.0.2.30", "192.0.2.10"]
    assert site.ips.acquire(site.bob, site.zone).ip == "192.0.2.11"
    site.ips.release(site.store.table(PublicIp).where("account_id", site.ann.id)[0])
    with pytest.raises(PermissionDenied):
        site.ips.acquire(site.bob, site.zone, wanted="192.0.2.30")


def test_ranges_of_a_domain_are_for_the_accounts_in_and_below_it(site: Site) -> None:
    domains = site.identity.domains
    sales = domains.create("sales", site.root)
    abroad = domains.create("abroad", sales)
    site.public(domain=sales)
    eve = site.account("eve", abroad)
    assert site.ips.acquire(eve, site.zone).ip == "192.0.2.10"
    with pytest.raises(InsufficientAddressCapacity):
        site.ips.acquire(site.ann, site.zone)


def test_the_addresses_of_a_network_are_on_one_vlan_since_its_router_has_one_nic_there(site: Site) -> None:
    first, second = site.network(site.ann, "first"), site.network(site.ann, "second")
    site.public("192.0.2.10", "192.0.2.11")
    site.public("198.51.100.10", "198.51.100.11", gateway="198.51.100.1", vlan="51")
    for ip, network in (("192.0.2.10", first), ("198.51.100.10", second)):
        site.ips.acquire(site.ann, site.zone, network=network, wanted=ip)
    with pytest.raises(InvalidParameterValue, match="addresses on several VLANs are not supported"):
        site.ips.acquire(site.ann, site.zone, network=first, wanted="198.51.100.11")
    assert site.ips.acquire(site.ann, site.zone, network=second).ip == "198.51.100.11"
    assert site.ips.acquire(site.ann, site.zone, network=first).ip == "192.0.2.11"
    site.public("192.0.2.20", "192.0.2.20")
    assert site.ips.acquire(site.ann, site.zone, network=first).ip == "192.0.2.20"
    with pytest.raises(InsufficientAddressCapacity, match="on VLAN 51, where the other addresses"):
        site.ips.acquire(site.ann, site.zone, network=second)


def test_system_vms_take_of_their_own_ranges_first_and_users_never_do(site: Site) -> None:
    site.public("192.0.2.10", "192.0.2.11")
    site.public("192.0.2.40", "192.0.2.40", for_system_vms=True)
    site.public("192.0.2.50", "192.0.2.50", owner=site.ann)
    taken = [site.ips.take_for_system(site.zone) for _ in range(3)]
    assert [ip.ip for ip in taken] == ["192.0.2.40", "192.0.2.10", "192.0.2.11"]
    assert all(ip.system and ip.account_id == site.identity.system()[0].id for ip in taken)
    with pytest.raises(InsufficientAddressCapacity):
        site.ips.take_for_system(site.zone)
    site.ips.release(taken[0])
    with pytest.raises(InsufficientAddressCapacity):
        site.ips.acquire(site.bob, site.zone)


def test_releasing_takes_the_tags_along(site: Site) -> None:
    site.public()
    ip = site.ips.acquire(site.ann, site.zone)
    tags = site.store.table(ResourceTag)
    with site.store.transaction():
        tags.insert(
            ResourceTag(
                id="t",
                resource_type="PublicIpAddress",
                resource_id=ip.id,
                key="k",
                value="v",
                account_id=site.ann.id,
                domain_id=site.root.id,
            )
        )
    site.ips.release(ip)
    assert (len(tags), site.addresses()) == (0, [])


def test_an_address_has_the_same_id_whenever_it_is_in_use(site: Site) -> None:
    row = site.public()
    ip = site.ips.acquire(site.ann, site.zone, wanted="192.0.2.12")
    site.ips.release(ip)
    assert site.ips.acquire(site.bob, site.zone, wanted="192.0.2.12").id == ip.id
    number = int(ipaddress.IPv4Address("192.0.2.12"))
    assert address_of_id(site.store, ip.id) == (row, number)
    assert ip.id == public_ip_id(row, number)
    outside = public_ip_id(row, int(ipaddress.IPv4Address("192.0.2.20")))
    assert address_of_id(site.store, outside) is None
    assert address_of_id(site.store, "what") is None
    assert address_of_id(site.store, f"{row.id[:-8]}zzzzzzzz") is None


def test_a_reserved_address_is_the_accounts_until_it_is_released(site: Site) -> None:
    row = site.public()
    ip = site.ips.reserve(site.ann, row, int(ipaddress.IPv4Address("192.0.2.14")))
    assert (ip.state, ip.ip, ip.network_id) == ("Reserved", "192.0.2.14", None)
    with pytest.raises(InvalidParameterValue, match="in use"):
        site.ips.acquire(site.bob, site.zone, wanted="192.0.2.14")
    site.ips.end_reservation(ip)
    used = site.ips.acquire(site.bob, site.zone, wanted="192.0.2.14")
    with pytest.raises(ResourceInUse, match="disassociate"):
        site.ips.end_reservation(used)


STEPS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "system", "fail", "release", "restart"]), st.integers(0, 99))
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_addresses_are_unique_in_a_usable_range_and_come_back(steps: list[tuple[str, int]]) -> None:
    site = Site()
    site.public("192.0.2.10", "192.0.2.13")
    site.public("192.0.2.20", "192.0.2.21", owner=site.ann)
    site.public("192.0.2.30", "192.0.2.30", for_system_vms=True)
    everyone, anns, system = set(range(10, 14)), {20, 21}, {30}
    may = {"ann": everyone | anns, "bob": everyone, "system": everyone | system}
    for step, pick in steps:
        before = {int(ip.ip.rpartition(".")[2]) for ip in site.addresses()}
        if step == "release" and site.addresses():
            site.ips.release(site.addresses()[pick % len(before)])
        elif step == "restart":  # another server, over the same rows
            site.store.unsubscribe_all()
            site.ips = PublicIps(site.foundation, site.limits)
        elif step == "fail":
            with pytest.raises((RuntimeError, CloudError)), site.store.transaction():
                site.ips.acquire(site.bob, site.zone)
                raise RuntimeError
            assert {int(ip.ip.rpartition(".")[2]) for ip in site.addresses()} == before
        elif step in may:
            try:
                ip = (
                    site.ips.take_for_system(site.zone)
                    if step == "system"
                    else site.ips.acquire(getattr(site, step), site.zone)
                )
            except InsufficientAddressCapacity:
                assert may[step] <= before
            else:
                number = int(ip.ip.rpartition(".")[2])
                assert number in may[step] - before


# management addresses of pods


@pytest.fixture
def pod(site: Site) -> Pod:
    return site.pods.create(
        site.zone,
        name="p",
        gateway="10.0.0.1",
        netmask="255.255.255.0",
        start_ip="10.0.0.10",
        end_ip="10.0.0.11",
    )


def test_system_vms_take_management_addresses_of_their_pod_and_give_them_back(site: Site, pod: Pod) -> None:
    taken = [site.ips.take_pod_ip(pod, vm_id) for vm_id in ("v", "s")]
    assert [ip.ip for ip in taken] == ["10.0.0.10", "10.0.0.11"]
    with pytest.raises(InsufficientAddressCapacity, match="Pod p has no free management address"):
        site.ips.take_pod_ip(pod, "x")
    site.ips.release_pod_ips("v")
    assert [ip.vm_id for ip in site.store.table(PodIp)] == ["s"]
    assert site.ips.take_pod_ip(pod, "x").ip == "10.0.0.10"


def test_a_management_address_can_be_acquired_for_something_else_and_released_by_its_number(
    site: Site, pod: Pod
) -> None:
    first, second = site.ips.pod_ips.acquire(site.zone), site.ips.pod_ips.acquire(site.zone, pod)
    assert (first.number, second.number) == (1, 2)
    with pytest.raises(InsufficientAddressCapacity):
        site.ips.pod_ips.acquire(site.zone)
    site.ips.pod_ips.release(1)
    with pytest.raises(InvalidParameterValue, match="acquired as 1"):
        site.ips.pod_ips.release(1)
    assert site.ips.pod_ips.acquire(site.zone).ip == first.ip
    assert site.ips.pod_ips.count(pod) == (2, 2)


def test_a_pod_with_addresses_in_use_is_not_deleted(site: Site, pod: Pod) -> None:
    site.ips.take_pod_ip(pod, "v")
    with pytest.raises(CloudError, match="management IP addresses in use"):
        site.pods.delete(pod)
    site.ips.release_pod_ips("v")
    site.pods.delete(pod)
    assert len(site.store.table(Pod)) == 0
