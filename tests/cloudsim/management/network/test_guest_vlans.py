"""VLAN ids of guest networks: given once, and those kept for an account to its networks only."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import InsufficientCapacity, InvalidParameterValue, ResourceInUse
from cloudsim.management.network.guest_vlans import GuestVlans
from cloudsim.model import GuestVlanRange, Network
from tests.cloudsim.management.network.site import Site


class Vlans(Site):
    """A wire with the ids 100 to 103."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = self.wires.update(self.wire, vlan="100-101,102-103")
        self.vlans = GuestVlans(self.foundation)

    def give(self, network: Network) -> str | None:
        vlan = self.vlans.free(network)
        with self.store.transaction():
            self.store.table(Network).update(network.id, vlan=vlan)
        return vlan


@pytest.fixture
def site() -> Vlans:
    return Vlans()


def test_networks_get_ids_until_none_is_left(site: Vlans) -> None:
    networks = [site.network(site.ann, str(n)) for n in range(5)]
    assert [site.give(network) for network in networks[:4]] == ["100", "101", "102", "103"]
    with pytest.raises(InsufficientCapacity, match="has no VLAN left for network 4"):
        site.give(networks[4])


def test_a_wire_without_ids_gives_none(site: Vlans) -> None:
    site.wire = site.wires.update(site.wire, vlan="")
    assert site.vlans.free(site.network(site.ann)) is None


def test_ids_kept_for_an_account_are_for_its_networks_only(site: Vlans) -> None:
    kept = site.vlans.dedicate(site.wire, site.ann, "102-103")
    assert (kept.first, kept.last, kept.account_id) == (102, 103, site.ann.id)
    assert [site.give(site.network(site.bob)) for _ in range(2)] == ["100", "101"]
    with pytest.raises(InsufficientCapacity):
        site.give(site.network(site.bob))
    assert site.give(site.network(site.ann)) == "102"
    site.vlans.release(kept)
    assert site.give(site.network(site.bob)) == "103"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("99-100", "Unable to find guest vlan by range"),
        ("103-104", "Unable to find guest vlan by range"),
        ("100-100,102-103", "use first-last"),
        ("", "use first-last"),
        ("103-102", "ends before it begins"),
    ],
)
def test_ids_that_the_wire_does_not_have_are_not_kept(site: Vlans, text: str, said: str) -> None:
    with pytest.raises(InvalidParameterValue, match=said):
        site.vlans.dedicate(site.wire, site.ann, text)
    assert len(site.store.table(GuestVlanRange)) == 0


def test_ids_are_kept_for_one_account_and_not_while_another_uses_them(site: Vlans) -> None:
    site.give(site.network(site.bob))
    with pytest.raises(ResourceInUse, match="VLAN 100 of the range is in use"):
        site.vlans.dedicate(site.wire, site.ann, "100-101")
    site.vlans.dedicate(site.wire, site.bob, "100-101")
    with pytest.raises(InvalidParameterValue, match="dedicated already"):
        site.vlans.dedicate(site.wire, site.ann, "101-102")


def test_ids_that_are_kept_stay_on_the_wire(site: Vlans) -> None:
    site.vlans.dedicate(site.wire, site.ann, "102-103")
    with pytest.raises(ResourceInUse, match="dedicated to an account"):
        site.wires.update(site.wire, vlan="100-102")
    site.wires.delete(site.wire)
    assert len(site.store.table(GuestVlanRange)) == 0


def test_what_there_is_and_who_has_it(site: Vlans) -> None:
    network = site.network(site.ann)
    site.give(network)
    kept = site.vlans.dedicate(site.wire, site.bob, "103")
    told = list(site.vlans.of(site.wire))
    assert [vlan.number for vlan in told] == [100, 101, 102, 103]
    assert [vlan.network.id if vlan.network else None for vlan in told] == [network.id, None, None, None]
    assert [vlan.dedicated for vlan in told] == [None, None, None, kept]
    assert [vlan.number for vlan in site.vlans.used(site.wire)] == [100]
    assert site.vlans.one(site.wire, 103) == told[3]
    assert site.vlans.one(site.wire, 104) is None
    assert site.vlans.count(site.wire) == 4
    for start in range(6):
        assert list(site.vlans.of(site.wire, start, 2)) == told[start : start + 2]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["ann", "bob", "keep", "free"]), st.integers(100, 103)), max_size=12)
)
def test_no_id_is_given_twice_or_to_whom_it_is_not_for(steps: list[tuple[str, int]]) -> None:
    site = Vlans()
    for step, number in steps:
        try:
            if step == "keep":
                site.vlans.dedicate(site.wire, site.ann, str(number))
            elif step == "free":
                for row in list(site.store.table(GuestVlanRange)):
                    site.vlans.release(row)
            else:
                vlan = site.give(site.network(getattr(site, step)))
                assert vlan is not None
                if step == "bob":
                    assert not any(
                        row.first <= int(vlan) <= row.last for row in site.store.table(GuestVlanRange)
                    )
        except (InsufficientCapacity, InvalidParameterValue, ResourceInUse):
            pass
        given = [network.vlan for network in site.store.table(Network) if network.vlan is not None]
        assert len(given) == len(set(given))
