"""Who is in which security group, at which addresses, and whose rules a change of that concerns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_pool import number_of
from cloudsim.management.network.address_runs import AddressRuns
from cloudsim.model import Network, NetworkOffering, Nic, SecurityGroupRule, VirtualMachine, Zone
from cloudsim.store import Change

SERVICE = "SecurityGroup"


class _Share(NamedTuple):
    """What one instance adds to the addresses of its groups."""

    groups: tuple[str, ...] = ()
    zone_id: str = ""
    numbers: tuple[int, ...] = ()


_NOTHING = _Share()


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
        self._addresses: dict[tuple[str, str], AddressRuns] = {}
        self._shares: dict[str, _Share] = {}
        self.on_change: list[Callable[[Collection[str]], None]] = []
        for vm in self._vms:
            self._count((), vm.security_group_ids, vm.id)
            if vm.security_group_ids and vm.host_id is not None:
                self._share_again(vm.id)
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
        found = self._addresses.get((group_id, zone_id))
        return () if found is None else found.cidrs()

    def _share(self, vm_id: str) -> _Share:
        vm = self._vms.get(vm_id)
        if vm is None or vm.host_id is None or not vm.security_group_ids:
            return _NOTHING
        found: list[int] = []
        for nic in self._nics.where("vm_id", vm_id):
            if nic.ip is not None and self.guards(self._networks[nic.network_id]):
                found += (number_of(nic.ip), *(number_of(ip) for _, ip in nic.secondary_ips))
        return _Share(vm.security_group_ids, vm.zone_id, tuple(found)) if found else _NOTHING

    def _share_again(self, vm_id: str) -> tuple[str, ...]:
        """Take account of what the instance's rows say now; the groups of which this changes anything."""
        before, after = self._shares.get(vm_id, _NOTHING), self._share(vm_id)
        if before == after:
            return ()
        for group_id in after.groups:
            runs = self._addresses.setdefault((group_id, after.zone_id), AddressRuns())
            for number in after.numbers:
                runs.add(number)
        for group_id in before.groups:
            runs = self._addresses[group_id, before.zone_id]
            for number in before.numbers:
                runs.remove(number)
            if not runs:
                del self._addresses[group_id, before.zone_id]
        if after is _NOTHING:
            del self._shares[vm_id]
        else:
            self._shares[vm_id] = after
        return (*before.groups, *after.groups)

    # the change feed

    def _changed(self, changes: list[Change]) -> None:
        concerned: dict[str, None] = {}
        moved: dict[str, None] = {}  # instances that may have other groups or addresses now
        for table, before, after in changes:
            if table is self._vms:
                self._vm_changed(before, after, moved, concerned)
            elif table is self._nics:
                self._nic_changed(before, after, moved, concerned)
            else:
                concerned.update(dict.fromkeys(self.of((after or before).group_id)))
        for vm_id in moved:
            for group_id in self._share_again(vm_id):
                for rule in self._rules.where("other_group_id", group_id):
                    concerned.update(dict.fromkeys(self.of(rule.group_id)))
        if concerned:
            for listener in self.on_change:
                listener(concerned)

    def _vm_changed(
        self,
        before: VirtualMachine | None,
        after: VirtualMachine | None,
        moved: dict[str, None],
        concerned: dict[str, None],
    ) -> None:
        old = before.security_group_ids if before is not None else ()
        new = after.security_group_ids if after is not None else ()
        if not old and not new:
            return
        vm = before or after
        assert vm is not None
        if old != new:
            self._count(old, new, vm.id)
            concerned[vm.id] = None
        if before is None or after is None or old != new or (before.host_id is None) != (after.host_id is None):
            moved[vm.id] = None

    def _nic_changed(
        self,
        before: Nic | None,
        after: Nic | None,
        moved: dict[str, None],
        concerned: dict[str, None],
    ) -> None:
        nic = after or before
        assert nic is not None
        vm = self._vms.get(nic.vm_id)
        if vm is None or vm.type == "User":
            if nic.vm_id in self._shares or (vm is not None and vm.security_group_ids):
                moved[nic.vm_id] = None
            return
        network = self._networks.get(nic.network_id)
        if network is not None and self.guards(network):  # its guests may always talk to its router
            concerned.update(dict.fromkeys(each.vm_id for each in self._nics.where("network_id", network.id)))

    def _count(self, old: tuple[str, ...], new: tuple[str, ...], vm_id: str) -> None:
        for group_id in old:
            members = self._members[group_id]
            del members[vm_id]
            if not members:
                del self._members[group_id]
        for group_id in new:
            self._members.setdefault(group_id, {})[vm_id] = None
