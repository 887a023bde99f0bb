"""Who provides the services of guest networks on a physical network, and the elements that deploy their system VMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.model import (
    Network,
    NetworkOffering,
    NetworkServiceProvider,
    PhysicalNetwork,
    VirtualRouterElement,
)
from cloudsim.model.addresses import ProviderState
from cloudsim.store import Store

ElementKind = Literal["VirtualRouter", "VpcVirtualRouter", "InternalLbVm"]

PROVIDED: dict[str, tuple[str, ...]] = {
    "VirtualRouter": (
        "Vpn",
        "Dhcp",
        "Dns",
        "Gateway",
        "Firewall",
        "Lb",
        "SourceNat",
        "StaticNat",
        "PortForwarding",
        "UserData",
    ),
    "VpcVirtualRouter": (
        "Vpn",
        "Dhcp",
        "Dns",
        "Gateway",
        "Lb",
        "SourceNat",
        "StaticNat",
        "PortForwarding",
        "UserData",
        "NetworkACL",
    ),
    "InternalLbVm": ("Lb",),
    "SecurityGroupProvider": ("SecurityGroup",),
    "ConfigDrive": ("UserData", "Dhcp", "Dns"),
}
"""The providers that every physical network has, and the services that each can provide."""
ELEMENTS: dict[str, ElementKind] = {
    "VirtualRouter": "VirtualRouter",
    "VpcVirtualRouter": "VpcVirtualRouter",
    "InternalLbVm": "InternalLbVm",
}
"""Providers whose services system VMs give, and so need an element."""
STATES: tuple[ProviderState, ...] = ("Enabled", "Disabled", "Shutdown")


class NetworkServiceProviders:
    """The providers of all physical networks."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(NetworkServiceProvider)
        self._elements = foundation.table(VirtualRouterElement)
        self._physical = foundation.table(PhysicalNetwork)
        self._randomness = foundation.randomness.branch("network service providers")

    # coming and going with their physical network

    def add_first(self, physical: PhysicalNetwork) -> None:
        """All providers, disabled, with their elements. Needs an open transaction."""
        for name in PROVIDED:
            self._insert(physical, name, PROVIDED[name])

    def remove_all(self, physical: PhysicalNetwork) -> None:
        """Those of a physical network that goes. Needs an open transaction."""
        for provider in self._table.where("physical_network_id", physical.id):
            self._remove(provider)

    def enable_all(self, physical: PhysicalNetwork) -> None:
        """Enable all providers of the physical network, and their elements."""
        with self._store.transaction():
            for provider in self._table.where("physical_network_id", physical.id):
                element = self.element_of(provider)
                if element is not None:
                    self._elements.update(element.id, enabled=True)
                self._table.update(provider.id, state="Enabled")

    # providers

    def add(
        self, physical: PhysicalNetwork, name: str, services: Sequence[str] | None = None
    ) -> NetworkServiceProvider:
        """A provider that the physical network does not have (any more), disabled; with all its services by default."""
        known = provider_named(name)
        if self._table.find(("physical_network_id", "name"), (physical.id, known)) is not None:
            raise CloudError(f"The '{known}' provider already exists on physical network : {physical.name}")
        chosen = _services(known, services)
        with self._store.transaction():
            return self._insert(physical, known, chosen)

    def _insert(
        self, physical: PhysicalNetwork, name: str, services: tuple[str, ...]
    ) -> NetworkServiceProvider:
        provider = self._table.insert(
            NetworkServiceProvider(
                id=self._randomness.uuid(), physical_network_id=physical.id, name=name, services=services
            )
        )
        if name in ELEMENTS:
            self._insert_element(provider, ELEMENTS[name])
        return provider

    def update(
        self,
        provider: NetworkServiceProvider,
        *,
        state: str | None = None,
        services: Sequence[str] | None = None,
    ) -> NetworkServiceProvider:
        """Change what is given. A provider with an element can be enabled once the element is."""
        changes: dict[str, Any] = {}
        if services is not None:
            changes["services"] = _services(provider.name, services)
        if state is not None:
            changes["state"] = chosen = _state(state)
            if chosen == "Enabled":
                self._check_ready(provider)
            elif provider.state == "Enabled":
                self._check_unused(provider, "disabled" if chosen == "Disabled" else "shut down")
        with self._store.transaction():
            return self._table.update(provider.id, **changes)

    def _check_ready(self, provider: NetworkServiceProvider) -> None:
        if provider.name not in ELEMENTS:
            return
        element = self.element_of(provider)
        if element is None or not element.enabled:
            raise CloudError(
                f"Provider {provider.name} is not ready, cannot Enable the provider, please configure the provider "
                "first: its element is not enabled"
            )

    def delete(self, provider: NetworkServiceProvider) -> None:
        """Remove a provider that no network on its physical network uses."""
        self._check_unused(provider, "deleted")
        with self._store.transaction():
            self._remove(provider)

    def _remove(self, provider: NetworkServiceProvider) -> None:
        element = self.element_of(provider)
        if element is not None:
            self._elements.delete(element.id)
        self._table.delete(provider.id)

    def _check_unused(self, provider: NetworkServiceProvider, what: str) -> None:
        offerings = self._foundation.table(NetworkOffering)
        for network in self._foundation.table(Network).where(
            "physical_network_id", provider.physical_network_id
        ):
            offering = offerings.get(network.network_offering_id)
            if offering is not None and any(provider.name in each for each in offering.services.values()):
                raise ResourceInUse(
                    f"Provider {provider.name} cannot be {what}: network {network.name} uses it"
                )

    # elements

    def element_of(self, provider: NetworkServiceProvider) -> VirtualRouterElement | None:
        """The provider's element, if there is one."""
        return self._elements.find("provider_id", provider.id)

    def add_element(self, provider: NetworkServiceProvider, kind: ElementKind) -> VirtualRouterElement:
        """An element for a provider that has none. Raises InvalidParameterValue for one of another kind."""
        if ELEMENTS.get(provider.name) != kind:
            raise InvalidParameterValue(f"Network service provider {provider.name} has no {kind} element")
        if self.element_of(provider) is not None:
            raise InvalidParameterValue(f"Network service provider {provider.name} has its element already")
        with self._store.transaction():
            return self._insert_element(provider, kind)

    def _insert_element(self, provider: NetworkServiceProvider, kind: ElementKind) -> VirtualRouterElement:
        return self._elements.insert(
            VirtualRouterElement(id=self._randomness.uuid(), provider_id=provider.id, kind=kind)
        )

    def configure(self, element: VirtualRouterElement, *, enabled: bool) -> VirtualRouterElement:
        """Enable or disable an element; that of an enabled provider stays enabled."""
        provider = self._table[element.provider_id]
        if not enabled and provider.state == "Enabled":
            raise InvalidParameterValue(
                f"The element of provider {provider.name} cannot be disabled while the provider is Enabled"
            )
        with self._store.transaction():
            return self._elements.update(element.id, enabled=enabled)


def check_enabled(
    store: Store, physical: PhysicalNetwork, services: Mapping[str, Sequence[str]]
) -> None:
    """Raise InvalidParameterValue unless the physical network's providers give all the `services` that ask for them."""
    table = store.table(NetworkServiceProvider)
    for service, names in services.items():
        for name in names:
            found = table.find(("physical_network_id", "name"), (physical.id, name))
            if name in PROVIDED and (found is None or found.state != "Enabled" or service not in found.services):
                raise InvalidParameterValue(
                    f"Provider {name} is either not enabled or doesn't support service {service} on physical network "
                    f"{physical.name}"
                )


def provider_named(text: str) -> str:
    """The provider of that name in any case. Raises InvalidParameterValue."""
    for name in PROVIDED:
        if text.strip().lower() == name.lower():
            return name
    raise InvalidParameterValue(
        f"Invalid Network Service Provider name {text!r}; there are {', '.join(PROVIDED)}"
    )


def _state(text: str) -> ProviderState:
    for state in STATES:
        if text.strip().lower() == state.lower():
            return state
    raise InvalidParameterValue(
        f"Invalid Network Service Provider state {text!r}; it is one of {', '.join(STATES)}"
    )


def _services(provider: str, names: Sequence[str] | None) -> tuple[str, ...]:
    possible = PROVIDED[provider]
    if not names:
        return possible
    spelled = {service.lower(): service for service in possible}
    chosen = []
    for name in names:
        if name.strip().lower() not in spelled:
            raise InvalidParameterValue(
                f"Provider {provider} doesn't support service {name}; it can provide {', '.join(possible)}"
            )
        chosen.append(spelled[name.strip().lower()])
    return tuple(dict.fromkeys(chosen))
