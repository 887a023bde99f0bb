"""Who is in which security group, at which addresses, and whose rules a change of that concerns."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable

from cloudsim.management.foundation import Foundation
from cloudsim.model import Network, NetworkOffering, Nic, SecurityGroupRule, VirtualMachine, Zone
from cloudsim.store import Change

SERVICE = "SecurityGroup"


class SecurityMembers:
    """Keeps account of groups' members from the store's change feed: nothing here looks through all instances.

    A member's addresses count while it has a host: from when one is chosen for its start until it has stopped.
    `on_change` are told after a commit the ids of the instances whose rules it changed.
    """

    def __init__(self, foundation: Foundation) -> None:
        self._vms = foundation.table(VirtualMachine)
        self._nics = foundation.table(Nic)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._zones = foundation.table(Zone)
        self._rules = foundation.table(SecurityGroupRule)
        self._members: dict[str, dict[str, None]] = {}
        self._addresses: dict[str, dict[str, tuple[str, ...]]] = {}
        self.on_change: list[Callable[[Collection[str]], None]] = []
        for vm in self._vms:
            self._count((), vm.security_group_ids, vm.id)
        foundation.store.subscribe(self._changed, VirtualMachine, Nic, SecurityGroupRule)

    def of(self, group_id: str) -> Iterable[str]:
        """Ids of the instances in the group, running or not."""
        return self._members.get(group_id, ())

    def count(self, group_id: str) -> int:
        return len(self._members.get(group_id, ()))

    def guards(self, network: Network) -> bool:
        """Whether security groups decide what instances on the network let in and out."""
        offering = self._offerings.get(network.network_offering_id)
        if offering is not None and SERVICE in offering.services:
            return True
        zone = self._zones.get(network.zone_id)
        return zone is not None and zone.network_type == "Basic" and network.traffic_type == "Guest"

    def addresses(self, group_id: str, zone_id: str) -> tuple[str, ...]:
        """What the group's members of the zone have on guarded networks, as the fewest CIDRs.

        Only of one zone: networks of two zones may have the same subnet, and a member of the one is no member in
        the other.
        """
        zones = self._addresses.setdefault(group_id, {})
        known = zones.get(zone_id)
        if known is None:
            known = zones[zone_id] = self._collect(group_id, zone_id)
        return known

    def _collect(self, group_id: str, zone_id: str) -> tuple[str, ...]:
        found = []
        for vm_id in self._members.get(group_id, ()):
            vm = self._vms[vm_id]
            if vm.host_id is None or vm.zone_id != zone_id:
                continue
            for nic in self._nics.where("vm_id", vm_id):
                if nic.ip is not None and self.guards(self._networks[nic.network_id]):
                    found += [nic.ip, *(ip for _, ip in nic.secondary_ips)]
        return tuple(map(str, ipaddress.collapse_addresses(map(ipaddress.IPv4Network, found))))

    # the change feed

    def _changed(self, changes: list[Change]) -> None:
        concerned: dict[str, None] = {}
        groups: dict[str, None] = {}  # whose members, or their addresses, are others now
        for table, before, after in changes:
            if table is self._vms:
                self._vm_changed(before, after, groups, concerned)
            elif table is self._nics:
                self._nic_changed(before, after, groups, concerned)
            elif table is self._rules:
                concerned.update(dict.fromkeys(self.of((after or before).group_id)))
        for group_id in groups:
            self._addresses.pop(group_id, None)
            for rule in self._rules.where("other_group_id", group_id):
                concerned.update(dict.fromkeys(self.of(rule.group_id)))
        if concerned and self.on_change:
            for listener in self.on_change:
                listener(concerned)

    def _vm_changed(
        self,
        before: VirtualMachine | None,
        after: VirtualMachine | None,
        groups: dict[str, None],
        concerned: dict[str, None],
    ) -> None:
        old = before.security_group_ids if before is not None else ()
        new = after.security_group_ids if after is not None else ()
        if old == new:
            if new and (before.host_id is None) != (after.host_id is None):  # type: ignore[union-attr]
                groups.update(dict.fromkeys(new))
            return
        vm = before or after
        assert vm is not None
        self._count(old, new, vm.id)
        concerned[vm.id] = None
        if any(row is not None and row.host_id is not None for row in (before, after)):
            groups.update(dict.fromkeys((*old, *new)))

    def _nic_changed(
        self,
        before: Nic | None,
        after: Nic | None,
        groups: dict[str, None],
        concerned: dict[str, None],
    ) -> None:
        nic = after or before
        assert nic is not None
        vm = self._vms.get(nic.vm_id)
        if vm is not None and vm.type != "User":
            network = self._networks.get(nic.network_id)
            if network is not None and self.guards(network):  # its guests may always talk to its router
                concerned.update(dict.fromkeys(each.vm_id for each in self._nics.where("network_id", network.id)))
            return
        if vm is None or vm.host_id is None or not vm.security_group_ids:
            return
        if before is None or after is None or (before.ip, before.secondary_ips) != (after.ip, after.secondary_ips):
            groups.update(dict.fromkeys(vm.security_group_ids))

    def _count(self, old: tuple[str, ...], new: tuple[str, ...], vm_id: str) -> None:
        for group_id in old:
            members = self._members[group_id]
            del members[vm_id]
            if not members:
                del self._members[group_id]
        for group_id in new:
            self._members.setdefault(group_id, {})[vm_id] = None
