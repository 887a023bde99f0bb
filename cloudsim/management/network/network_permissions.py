"""Who may put instances on a network: its owner or its domain, and accounts that the owner shares it with."""

from __future__ import annotations

from collections.abc import Iterable

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.visibility import is_for_domain
from cloudsim.model import Account, Network, NetworkPermission


class NetworkPermissions:
    """Gives and takes back permissions. Instances that are on a network stay there when one is taken back."""

    def __init__(self, foundation: Foundation) -> None:
        self._store = foundation.store
        self._table = foundation.table(NetworkPermission)
        self._accounts = foundation.table(Account)
        self._randomness = foundation.randomness.branch("network_permissions")
        self._now = foundation.now

    def has(self, network_id: str, account_id: str) -> bool:
        """Whether the network is shared with the account."""
        return self._table.find(("network_id", "account_id"), (network_id, account_id)) is not None

    def check_use(self, network: Network, account: Account, instance: str) -> None:
        """Raise PermissionDenied unless `instance`, which is the account's, may be on the network."""
        if network.acl_type == "Account":
            if network.account_id != account.id and not self.has(network.id, account.id):
                raise PermissionDenied(f"Unable to use network {network.name} for {instance}: it is another account's")
        elif not is_for_domain(self._store, network, account.domain_id):
            raise PermissionDenied(f"Network {network.name} is not available in the domain of {instance}")

    def of(self, network: Network) -> list[Account]:
        """The accounts that the network is shared with, in the order in which it was."""
        return [self._accounts[row.account_id] for row in self._table.where("network_id", network.id)]

    def check_shareable(self, network: Network) -> None:
        """Raise InvalidParameterValue for a network that cannot be shared with single accounts."""
        if network.acl_type != "Account" or network.traffic_type != "Guest":
            raise InvalidParameterValue(
                f"Network permissions are for networks of an account, and {network.name} is its domain's"
            )
        if network.vpc_id is not None:
            raise InvalidParameterValue(f"Network {network.name} is a tier of a VPC: it cannot be shared")
        if self._accounts[network.account_id].project_id is not None:
            raise InvalidParameterValue(f"Network {network.name} is a project's: its members use it already")

    def create(self, network: Network, accounts: Iterable[Account]) -> None:
        """Share the network with these accounts too; with its owner there is nothing to do."""
        self.check_shareable(network)
        wanted = [account for account in accounts if account.id != network.account_id]
        for account in wanted:
            if account.domain_id != network.domain_id:
                raise InvalidParameterValue(
                    f"Account {account.name} is not in the domain of network {network.name}"
                )
        with self._store.transaction():
            for account in wanted:
                if not self.has(network.id, account.id):
                    self._table.insert(
                        NetworkPermission(
                            id=self._randomness.uuid(),
                            network_id=network.id,
                            account_id=account.id,
                            created=self._now(),
                        )
                    )

    def remove(self, network: Network, accounts: Iterable[Account]) -> None:
        """Share it with these no longer."""
        self.check_shareable(network)
        with self._store.transaction():
            for account in accounts:
                row = self._table.find(("network_id", "account_id"), (network.id, account.id))
                if row is not None:
                    self._table.delete(row.id)

    def reset(self, network: Network) -> None:
        """Share it with nobody."""
        with self._store.transaction():
            for permission_id in list(self._table.ids("network_id", network.id)):
                self._table.delete(permission_id)

    async def forget(self, account: Account) -> None:
        """The account goes."""
        with self._store.transaction():
            for permission_id in list(self._table.ids("account_id", account.id)):
                self._table.delete(permission_id)
