"""The instances that a network's router serves with leases, names and metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cloudsim.management.foundation import Foundation
from cloudsim.model import Network, Nic, ServiceOffering, SshKeyPair, VirtualMachine, Zone
from cloudsim.protocol.router import RouterGuest
from cloudsim.store import Change

_SERVED = ("Running", "Starting", "Stopping", "Migrating", "Stopped", "Unknown")
"""States of instances that have a reservation and a name."""


class _Made(NamedTuple):
    """A guest, and the rows that it was made of, which never change themselves."""

    nic: Nic
    vm: VirtualMachine
    offering: ServiceOffering | None
    zone: Zone
    guest: RouterGuest


class RouterGuests:
    """Remembers what it made: with each change of one instance its router is told of all in the network."""

    def __init__(self, foundation: Foundation) -> None:
        table = foundation.table
        self._nics = table(Nic)
        self._vms = table(VirtualMachine)
        self._zones = table(Zone)
        self._keys = table(SshKeyPair)
        self._offerings = table(ServiceOffering)
        self._made: dict[str, dict[str, _Made]] = {}
        """By network and NIC."""
        foundation.store.subscribe(self._forget, Network)

    def of(self, network: Network) -> tuple[RouterGuest, ...]:
        """In the order of their NICs."""
        before = self._made.get(network.id, {})
        self._made[network.id] = made = {each.nic.id: each for each in self._all(network, before)}
        return tuple([each.guest for each in made.values()])

    def _all(self, network: Network, before: dict[str, _Made]) -> Iterable[_Made]:
        vms, offerings = self._vms, self._offerings
        zone = self._zones[network.zone_id]
        for nic in self._nics.where("network_id", network.id):
            vm = vms.get(nic.vm_id)
            if vm is None or vm.type != "User" or nic.ip is None or vm.state not in _SERVED:
                continue
            offering = offerings.get(vm.service_offering_id)
            known = before.get(nic.id)
            if (
                known is not None
                and known.nic is nic
                and known.vm is vm
                and known.offering is offering
                and known.zone is zone
                and not vm.key_pairs  # which are found by name
            ):
                yield known
            else:
                yield _Made(nic, vm, offering, zone, self._guest(nic, nic.ip, vm, offering, zone))

    def _guest(
        self, nic: Nic, ip: str, vm: VirtualMachine, offering: ServiceOffering | None, zone: Zone
    ) -> RouterGuest:
        pairs = (self._keys.find(("account_id", "name"), (vm.account_id, name)) for name in vm.key_pairs)
        return RouterGuest(
            nic.mac,
            ip,
            vm.name,
            vm.instance_name,
            vm.id,
            nic.is_default,
            tuple(ip for _, ip in nic.secondary_ips),
            vm.user_data,
            tuple(pair.public_key for pair in pairs if pair is not None),
            vm.password,
            {
                **vm.user_data_values,
                "service-offering": offering.name if offering is not None else "",
                "availability-zone": zone.name,
            },
            nic.dhcp_options,
        )

    def _forget(self, changes: list[Change]) -> None:
        for _, before, after in changes:
            if after is None:
                self._made.pop(before.id, None)
