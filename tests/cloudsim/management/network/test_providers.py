"""Network service providers: there with their physical network, enabled once their element is."""

from __future__ import annotations

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.network.providers import ELEMENTS, PROVIDED, NetworkServiceProviders
from cloudsim.model import NetworkServiceProvider, VirtualRouterElement
from tests.cloudsim.management.network.site import Site


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def providers(site: Site) -> NetworkServiceProviders:
    return site.wires.providers


def of(site: Site, name: str) -> NetworkServiceProvider:
    found = site.store.table(NetworkServiceProvider).find(
        ("physical_network_id", "name"), (site.wire.id, name)
    )
    assert found is not None
    return found


def test_a_physical_network_has_all_providers_disabled_with_their_elements(site: Site) -> None:
    rows = site.store.table(NetworkServiceProvider).where("physical_network_id", site.wire.id)
    assert {row.name: row.services for row in rows} == PROVIDED
    assert {row.state for row in rows} == {"Disabled"}
    elements = list(site.store.table(VirtualRouterElement))
    assert sorted(element.kind for element in elements) == sorted(ELEMENTS.values())
    assert not any(element.enabled for element in elements)


@pytest.mark.parametrize("name", ELEMENTS)
def test_a_provider_is_enabled_after_its_element(
    site: Site, providers: NetworkServiceProviders, name: str
) -> None:
    provider = of(site, name)
    with pytest.raises(CloudError, match="please configure the provider first"):
        providers.update(provider, state="Enabled")
    assert of(site, name).state == "Disabled"
    element = providers.element_of(provider)
    assert element is not None
    providers.configure(element, enabled=True)
    assert providers.update(provider, state="enabled").state == "Enabled"
    with pytest.raises(InvalidParameterValue, match="cannot be disabled while"):
        providers.configure(element, enabled=False)


def test_a_provider_without_an_element_is_enabled_at_once(
    site: Site, providers: NetworkServiceProviders
) -> None:
    assert providers.update(of(site, "ConfigDrive"), state="Enabled").state == "Enabled"


def test_all_can_be_enabled_at_once(site: Site, providers: NetworkServiceProviders) -> None:
    providers.enable_all(site.wire)
    assert {row.state for row in site.store.table(NetworkServiceProvider)} == {"Enabled"}
    assert all(element.enabled for element in site.store.table(VirtualRouterElement))


def test_a_provider_that_a_network_uses_is_neither_disabled_nor_deleted(
    site: Site, providers: NetworkServiceProviders
) -> None:
    providers.enable_all(site.wire)
    site.network(site.ann)
    for state in ("Disabled", "Shutdown"):
        with pytest.raises(ResourceInUse, match="network net uses it"):
            providers.update(of(site, "VirtualRouter"), state=state)
    with pytest.raises(ResourceInUse):
        providers.delete(of(site, "VirtualRouter"))
    assert providers.update(of(site, "VpcVirtualRouter"), state="Shutdown").state == "Shutdown"


def test_a_provider_goes_with_its_element_and_comes_again_disabled(
    site: Site, providers: NetworkServiceProviders
) -> None:
    providers.enable_all(site.wire)
    providers.delete(of(site, "InternalLbVm"))
    assert "InternalLbVm" not in {each.kind for each in site.store.table(VirtualRouterElement)}
    again = providers.add(site.wire, "internallbvm")
    assert (again.name, again.state, again.services) == ("InternalLbVm", "Disabled", ("Lb",))
    element = providers.element_of(again)
    assert element is not None and not element.enabled
    with pytest.raises(CloudError, match="already exists"):
        providers.add(site.wire, "InternalLbVm")


def test_an_element_is_made_for_a_provider_of_its_kind_that_has_none(
    site: Site, providers: NetworkServiceProviders
) -> None:
    provider = of(site, "VirtualRouter")
    with pytest.raises(InvalidParameterValue, match="has its element already"):
        providers.add_element(provider, "VirtualRouter")
    for wrong in (of(site, "VpcVirtualRouter"), of(site, "ConfigDrive")):
        with pytest.raises(InvalidParameterValue, match="has no VirtualRouter element"):
            providers.add_element(wrong, "VirtualRouter")


def test_the_services_of_a_provider_can_be_fewer_but_no_others(
    site: Site, providers: NetworkServiceProviders
) -> None:
    provider = of(site, "VirtualRouter")
    assert providers.update(provider, services=["dhcp", "Dns", "DHCP"]).services == ("Dhcp", "Dns")
    with pytest.raises(InvalidParameterValue, match="doesn't support service SecurityGroup"):
        providers.update(provider, services=["SecurityGroup"])


@pytest.mark.parametrize("wrong", ["", "Cisco"])
def test_unknown_names_and_states_are_refused(
    site: Site, providers: NetworkServiceProviders, wrong: str
) -> None:
    with pytest.raises(InvalidParameterValue, match="Invalid Network Service Provider name"):
        providers.add(site.wire, wrong)
    with pytest.raises(InvalidParameterValue, match="Invalid Network Service Provider state"):
        providers.update(of(site, "ConfigDrive"), state=wrong)


def test_providers_go_with_their_physical_network(site: Site) -> None:
    site.wires.delete(site.wire)
    assert len(site.store.table(NetworkServiceProvider)) == len(site.store.table(VirtualRouterElement)) == 0
