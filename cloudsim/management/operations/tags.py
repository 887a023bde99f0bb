"""Tags that users hang on resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.model import (
    Account,
    AffinityGroup,
    Cluster,
    DiskOffering,
    Domain,
    FirewallRule,
    Host,
    LoadBalancerRule,
    Network,
    NetworkAcl,
    NetworkAclList,
    NetworkOffering,
    Nic,
    Pod,
    PortForwardingRule,
    PrivateGateway,
    Project,
    PublicIp,
    ResourceTag,
    SecurityGroup,
    SecurityGroupRule,
    ServiceOffering,
    Snapshot,
    SnapshotPolicy,
    StaticRoute,
    StoragePool,
    Template,
    User,
    VirtualMachine,
    VmSnapshot,
    Volume,
    Vpc,
    VpcOffering,
    VpnConnection,
    VpnCustomerGateway,
    VpnGateway,
    Zone,
)
from cloudsim.store import Row

TAGGABLE: dict[str, type[Row]] = {
    "UserVm": VirtualMachine,
    "Template": Template,
    "ISO": Template,
    "Volume": Volume,
    "Snapshot": Snapshot,
    "VMSnapshot": VmSnapshot,
    "SnapshotPolicy": SnapshotPolicy,
    "Network": Network,
    "PublicIpAddress": PublicIp,
    "Nic": Nic,
    "Project": Project,
    "Account": Account,
    "User": User,
    "Domain": Domain,
    "Zone": Zone,
    "Pod": Pod,
    "Cluster": Cluster,
    "Host": Host,
    "Storage": StoragePool,
    "ServiceOffering": ServiceOffering,
    "DiskOffering": DiskOffering,
    "NetworkOffering": NetworkOffering,
    "AffinityGroup": AffinityGroup,
    "Vpc": Vpc,
    "VpcOffering": VpcOffering,
    "NetworkACL": NetworkAcl,
    "NetworkACLList": NetworkAclList,
    "StaticRoute": StaticRoute,
    "PrivateGateway": PrivateGateway,
    "VpnGateway": VpnGateway,
    "VpnCustomerGateway": VpnCustomerGateway,
    "VpnConnection": VpnConnection,
    "FirewallRule": FirewallRule,
    "PortForwardingRule": PortForwardingRule,
    "LoadBalancer": LoadBalancerRule,
    "SecurityGroup": SecurityGroup,
    "SecurityGroupRule": SecurityGroupRule,
}
"""What can carry tags: the name on the wire, and the row type. A service with a new row type adds it."""


def taggable(name: str) -> tuple[str, type[Row]]:
    """The type of that name, in any case of letters. InvalidParameterValue for another."""
    for spelled, row_type in TAGGABLE.items():
        if spelled.lower() == name.lower():
            return spelled, row_type
    raise InvalidParameterValue(
        f"Resources of type {name!r} carry no tags; these do: {', '.join(sorted(TAGGABLE))}"
    )


class Tags:
    """Hangs tags on resources and takes them off."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(ResourceTag)
        self._randomness = foundation.randomness.branch("tags")

    def resources(self, caller: Caller, type_name: str, ids: Sequence[str]) -> list[Row]:
        """The resources of those ids. Raises unless all exist and the caller may operate them."""
        _, row_type = taggable(type_name)
        if not ids:
            raise InvalidParameterValue("There is no resource to tag: resourceids is empty")
        table = self._foundation.table(row_type)
        found = []
        for row_id in ids:
            row = table.get(row_id)
            if row is None:
                raise InvalidParameterValue(f"There is no {type_name} with id {row_id}")
            visibility.check(self._store, caller, row)
            found.append(row)
        return found

    def check_create(self, resources: Sequence[Row], tags: Mapping[str, str]) -> None:
        """Raise InvalidParameterValue for a tag without key, or one that a resource has already."""
        for key, value in tags.items():
            if not key or not value:
                raise InvalidParameterValue("A tag has a key and a value, and neither is empty")
            for resource in resources:
                if self._table.find(("resource_id", "key"), (resource.id, key)) is not None:
                    raise InvalidParameterValue(f"Resource {resource.id} has a tag {key} already")

    def create(
        self,
        caller: Caller,
        type_name: str,
        resources: Sequence[Row],
        tags: Mapping[str, str],
        customer: str | None = None,
    ) -> None:
        """Hang all tags on all resources, or none."""
        self.check_create(resources, tags)
        name, row_type = taggable(type_name)
        for resource in resources:
            if resource.id not in self._foundation.table(row_type):
                raise InvalidParameterValue(f"{type_name} {resource.id} was removed meanwhile")
        with self._store.transaction():
            for resource in resources:
                owner = self._owner(caller, resource)
                for key, value in tags.items():
                    self._table.insert(
                        ResourceTag(
                            id=self._randomness.uuid(),
                            resource_type=name,
                            resource_id=resource.id,
                            key=key,
                            value=value,
                            account_id=owner.id,
                            domain_id=owner.domain_id,
                            customer=customer,
                        )
                    )

    def _owner(self, caller: Caller, resource: Row) -> Account:
        accounts = self._foundation.table(Account)
        if isinstance(resource, Account):
            return resource
        return accounts.get(getattr(resource, "account_id", None)) or caller.account

    def matching(self, resources: Sequence[Row], tags: Mapping[str, str | None]) -> list[ResourceTag]:
        """The resources' tags of those keys, and values where given; all tags for no key at all.

        Raises InvalidParameterValue when there is none.
        """
        found = [tag for resource in resources for tag in self._table.where("resource_id", resource.id)]
        if tags:
            found = [tag for tag in found if tag.key in tags and tags[tag.key] in (None, "", tag.value)]
        if not found:
            raise InvalidParameterValue("The resources carry no such tags")
        return found

    def delete(self, tags: Sequence[ResourceTag]) -> None:
        with self._store.transaction():
            for tag in tags:
                if tag.id in self._table:
                    self._table.delete(tag.id)
