"""Dedicated zones, pods, clusters and hosts: an account's or a domain's alone.

After CloudStack's explicit dedication: whoever it is dedicated to gets an affinity group of type ExplicitDedication.
Instances in it go only to pods, clusters and hosts of the owner, all others only to what is dedicated to nobody. In a
dedicated zone only the owner's instances may run, whether in the group or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.affinity_groups import AffinityGroups
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import in_subtree
from cloudsim.management.identity.identity import Identity
from cloudsim.model import (
    Account,
    AffinityGroup,
    Cluster,
    DedicatedResource,
    Domain,
    Host,
    Pod,
    VirtualMachine,
    Zone,
)

Kind = Literal["Zone", "Pod", "Cluster", "Host"]
Dedicable = Zone | Pod | Cluster | Host
_HOSTS_BY: dict[type, str] = {Zone: "zone_id", Pod: "pod_id", Cluster: "cluster_id"}


class Dedication:
    """Dedicates resources and releases them."""

    def __init__(self, foundation: Foundation, identity: Identity, groups: AffinityGroups) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(DedicatedResource)
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)
        self._groups = groups
        self._identity = identity
        self._randomness = foundation.randomness.branch("dedication")
        identity.accounts.on_delete.insert(0, self._account_goes)
        identity.domains.on_delete.insert(0, self._domain_goes)

    def check(self, resource: Dedicable, domain: Domain, account: Account | None) -> None:
        """Raise unless the resource can be dedicated to the account, or without one to the domain and those below."""
        name, kind = resource.name, type(resource).__name__
        if account is not None and account.domain_id != domain.id:
            raise InvalidParameterValue(f"Please specify the domain id of the account: {account.name}")
        if self.of(resource) is not None:
            raise InvalidParameterValue(f"{kind} {name} is already dedicated")
        for row in (*self._above(resource), *self._below(resource)):
            if not self._same(row, domain, account):
                raise InvalidParameterValue(
                    f"{kind} {name} cannot be dedicated: a {row.kind.lower()} in it or around it is dedicated to others"
                )
        for host in self._hosts_in(resource):
            for vm in self._on(host):
                if vm.type == "User" and not self._owns(domain, account, vm):
                    raise InvalidParameterValue(
                        f"{kind} {name} cannot be dedicated: instance {vm.name} of another account is on host {host.name}"
                    )

    def dedicate(self, resource: Dedicable, domain: Domain, account: Account | None) -> DedicatedResource:
        """Dedicate the resource; instances on it stay where they are."""
        self.check(resource, domain, account)
        with self._store.transaction():
            group = self._group(domain, account)
            if isinstance(resource, Zone):
                self._foundation.table(Zone).update(resource.id, domain_id=domain.id)
            return self._table.insert(
                DedicatedResource(
                    id=self._randomness.uuid(),
                    kind=type(resource).__name__,  # type: ignore[arg-type]
                    resource_id=resource.id,
                    domain_id=domain.id,
                    account_id=account.id if account is not None else None,
                    affinity_group_id=group.id,
                )
            )

    def of(self, resource: Dedicable) -> DedicatedResource | None:
        """To whom the resource itself is dedicated."""
        return self._table.find("resource_id", resource.id)

    def release(self, resource: Dedicable) -> None:
        """Make the resource anybody's again; the owner's group goes with the last that is dedicated to it."""
        row = self.of(resource)
        if row is None:
            kind = type(resource).__name__
            raise InvalidParameterValue(f"{kind} {resource.name} is not dedicated, so it cannot be released")
        self._release(row)

    def _release(self, row: DedicatedResource) -> None:
        with self._store.transaction():
            self._table.delete(row.id)
            zones = self._foundation.table(Zone)
            if row.kind == "Zone" and row.resource_id in zones:
                zones.update(row.resource_id, domain_id=None)
            group = self._foundation.table(AffinityGroup).get(row.affinity_group_id)
            if group is not None and not self._table.count("affinity_group_id", group.id):
                self._groups.delete(group)

    async def _account_goes(self, account: Account) -> None:
        for row in self._table.where("account_id", account.id):
            self._release(row)

    async def _domain_goes(self, domain: Domain) -> None:
        for row in self._table.where("domain_id", domain.id):
            self._release(row)

    def check_zone(self, zone: Zone, owner: Account) -> None:
        """Raise PermissionDenied unless the owner's instances may run in the zone."""
        row = self.of(zone)
        if row is not None and row.account_id not in (None, owner.id):
            raise PermissionDenied(f"Failed to deploy VM, Zone {zone.name} not available for the user account")
        if zone.domain_id is not None and not in_subtree(self._store, owner.domain_id, zone.domain_id):
            raise PermissionDenied(f"Zone {zone.name} is dedicated to another domain")

    def _group(self, domain: Domain, account: Account | None) -> AffinityGroup:
        name = f"DedicatedGrp-{account.name}" if account is not None else f"DedicatedGrp-domain-{domain.name}"
        rows = self._table.where("account_id", account.id) if account is not None else [
            row for row in self._table.where("domain_id", domain.id) if row.account_id is None
        ]
        if rows:
            return self._foundation.table(AffinityGroup)[rows[0].affinity_group_id]
        owner = account or self._identity.system()[0]
        return self._groups.create_for_dedication(owner, domain, name, of_domain=account is None)

    # who and where

    def _same(self, row: DedicatedResource, domain: Domain, account: Account | None) -> bool:
        """Whether whom the row is for includes, or is in, whom the new dedication is for."""
        if row.account_id is not None and account is not None:
            return row.account_id == account.id
        one, other = row.domain_id, domain.id
        return in_subtree(self._store, one, other) or in_subtree(self._store, other, one)

    def _owns(self, domain: Domain, account: Account | None, vm: VirtualMachine) -> bool:
        if account is not None:
            return vm.account_id == account.id
        return in_subtree(self._store, vm.domain_id, domain.id)

    def _on(self, host: Host) -> Iterator[VirtualMachine]:
        for vm_id in self._vms.ids("host_id", host.id):
            yield self._vms[vm_id]

    def _hosts_in(self, resource: Dedicable) -> list[Host]:
        if isinstance(resource, Host):
            return [resource]
        return self._hosts.where(_HOSTS_BY[type(resource)], resource.id)

    def _above(self, resource: Dedicable) -> Iterator[DedicatedResource]:
        for field in ("zone_id", "pod_id", "cluster_id"):
            row = self._table.find("resource_id", getattr(resource, field, None))
            if row is not None:
                yield row

    def _below(self, resource: Dedicable) -> Iterator[DedicatedResource]:
        if isinstance(resource, Host):
            return
        field = _HOSTS_BY[type(resource)]
        for row in self._table:
            inner = self._store.tables[row.kind].get(row.resource_id)
            if getattr(inner, field, None) == resource.id:
                yield row
