"""What a fresh cloud has, and the settings that it knows."""

from __future__ import annotations

import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.guest_os import GuestOsTypes
from cloudsim.management.compute.offerings import Offerings
from cloudsim.management.first_state import BUILTIN_TEMPLATE, seed
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.identity import Identity
from cloudsim.management.operations.configuration_groups import place_of
from cloudsim.management.operations.configuration_keys import KEYS, ConfigurationKey
from cloudsim.management.operations.keys_in_force import IN_FORCE
from cloudsim.management.operations.keys_kept import KEPT, SIMULATOR_VALUES
from cloudsim.model import Account, Configuration, DiskOffering, NetworkOffering, ServiceOffering, Template
from tests.cloudsim.management.bare import bare


def fresh(foundation: Foundation, hypervisor: str = "Simulator") -> bool:
    return seed(
        foundation,
        Identity(foundation, password_cost=2),
        Offerings(foundation),
        GuestOsTypes(foundation),
        hypervisor=hypervisor,
    )


def test_a_fresh_simulator_has_what_clients_look_up() -> None:
    foundation = bare()
    assert fresh(foundation)
    assert {a.name for a in foundation.table(Account)} == {"system", "admin"}
    services = {o.name: o for o in foundation.table(ServiceOffering)}
    assert (services["Small Instance"].cpu_mhz, services["Medium Instance"].memory_mib) == (500, 1024)
    assert services["System Offering For Software Router"].is_system
    disks = {o.name: o for o in foundation.table(DiskOffering)}
    assert list(disks) == ["Small", "Medium", "Large", "Custom"] and disks["Custom"].customized
    networks = foundation.table(NetworkOffering)
    usable = networks.find("name", "DefaultIsolatedNetworkOfferingWithSourceNatService")
    assert usable is not None and usable.state == "Enabled" and "SourceNat" in usable.services
    tier = networks.find("name", "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB")
    assert tier is not None and tier.state == "Enabled" and tier.for_vpc
    foreign = networks.find("name", "DefaultNSXNetworkOffering")
    assert foreign is not None and foreign.state == "Disabled"
    template = next(t for t in foundation.table(Template) if t.name == BUILTIN_TEMPLATE)
    assert template.is_public and template.is_featured and template.cross_zones and template.format == "VHD"
    assert foundation.settings.integer("ping.interval") == 10


def test_it_is_put_once() -> None:
    foundation = bare()
    fresh(foundation)
    before = foundation.store.sequence
    assert not fresh(foundation)
    assert foundation.store.sequence == before


def test_a_real_cloud_has_no_simulated_template_and_the_defaults() -> None:
    foundation = bare()
    fresh(foundation, "KVM")
    assert not len(foundation.table(Template)) and not len(foundation.table(Configuration))


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_a_key_takes_its_own_default(key: ConfigurationKey) -> None:
    key.check(key.default)
    assert key.description and place_of(key.name)[0] != "Miscellaneous"


def test_what_has_no_effect_says_so_and_is_not_in_force_too() -> None:
    assert all("no effect in this version" in key.description for key in KEPT)
    assert not {key.name for key in KEPT} & {key.name for key in IN_FORCE}


def test_simulator_values_are_of_known_keys() -> None:
    for name, value in SIMULATOR_VALUES.items():
        KEYS[name].check(value)


def test_limits_of_every_owner_have_a_key() -> None:
    assert {"max.account.cpus", "max.account.memory", "max.account.networks", "max.project.networks"} <= set(
        KEYS
    )
    with pytest.raises(InvalidParameterValue):
        KEYS["max.account.cpus"].check("-2")
