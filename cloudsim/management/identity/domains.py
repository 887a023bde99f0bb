"""The tree of domains."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Account, Domain, ResourceLimit

_NAME = re.compile(r"[^/\s]([^/]*[^/\s])?")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NETWORK_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def check_network_domain(text: str | None) -> None:
    """Raise InvalidParameterValue unless `text` is a DNS domain name, or nothing."""
    if text and (len(text) > 190 or not _NETWORK_DOMAIN.fullmatch(text)):
        raise InvalidParameterValue(f"{text!r} is not a DNS domain name for networks")


class Domains:
    """Creates, changes and deletes domains.

    `on_delete` are called, in order, with a domain that is to be deleted with all it holds, its subdomains being
    gone already: they delete what lives in it.
    """

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Domain)
        self._randomness = foundation.randomness.branch("domains")
        self.on_delete: list[Callable[[Domain], Awaitable[None]]] = []

    @property
    def root(self) -> Domain:
        found = self._table.find("path", "ROOT")
        if found is None:
            raise CloudError("this cloud has no ROOT domain yet")
        return found

    def at(self, path: str | None) -> Domain | None:
        """The domain at a path, written `ROOT/a`, `/a/`, `a`, or `/` for ROOT; in any case of letters."""
        parts = [part for part in (path or "").split("/") if part]
        if parts and parts[0].lower() == "root":
            parts = parts[1:]
        domain = self.root
        for part in parts:
            children = self._table.where("parent_id", domain.id)
            found = next((d for d in children if d.name.lower() == part.lower()), None)
            if found is None:
                return None
            domain = found
        return domain

    def children(self, domain_id: str) -> list[Domain]:
        return self._table.where("parent_id", domain_id)

    def seed_root(self) -> Domain:
        """Make the ROOT domain."""
        return self._table.insert(
            Domain(id=self._randomness.uuid(), name="ROOT", path="ROOT", created=self._foundation.now())
        )

    def create(
        self, name: str, parent: Domain, *, network_domain: str | None = None, id: str | None = None
    ) -> Domain:
        """Add a domain below `parent`."""
        self._check_name(name, parent.id)
        check_network_domain(network_domain)
        if parent.state != "Active":
            raise InvalidParameterValue(f"Domain {parent.path} is being deleted")
        if id is not None and id in self._table:
            raise InvalidParameterValue(f"A domain with id {id} exists already")
        with self._store.transaction():
            return self._table.insert(
                Domain(
                    id=id or self._randomness.uuid(),
                    name=name,
                    path=f"{parent.path}/{name}",
                    parent_id=parent.id,
                    network_domain=network_domain or None,
                    created=self._foundation.now(),
                )
            )

    def update(self, domain: Domain, *, name: str | None = None, network_domain: str | None = None) -> Domain:
        """Rename a domain, which moves the paths of all below it, or change its network domain."""
        if domain.parent_id is None:
            raise InvalidParameterValue("The ROOT domain cannot be changed")
        check_network_domain(network_domain)
        if name is not None and name != domain.name:
            self._check_name(name, domain.parent_id, but=domain.id)
        with self._store.transaction():
            if network_domain is not None:
                self._table.update(domain.id, network_domain=network_domain or None)
            if name is not None and name != domain.name:
                parent = self._table[domain.parent_id]
                self._table.update(domain.id, name=name)
                self._move(domain, f"{parent.path}/{name}")
        return self._table[domain.id]

    def check_move(self, domain: Domain, parent: Domain) -> None:
        """Raise unless the domain can be moved below `parent`."""
        if domain.parent_id is None:
            raise InvalidParameterValue("The ROOT domain cannot be moved")
        if parent.id == domain.parent_id:
            raise InvalidParameterValue(f"Domain {domain.path} is below {parent.path} already")
        if (parent.path + "/").startswith(domain.path + "/"):
            raise InvalidParameterValue(f"Domain {domain.path} cannot be moved below itself: {parent.path} is in it")
        if "Inactive" in (domain.state, parent.state):
            raise InvalidParameterValue("A domain that is being deleted cannot be moved, nor anything below it")
        self._check_name(domain.name, parent.id)

    def move(self, domain: Domain, parent: Domain) -> Domain:
        """Move the domain, with all below it, to another parent. Limits are the caller's to check."""
        self.check_move(domain, parent)
        with self._store.transaction():
            self._table.update(domain.id, parent_id=parent.id)
            self._move(domain, f"{parent.path}/{domain.name}")
        return self._table[domain.id]

    def _move(self, domain: Domain, path: str) -> None:
        self._table.update(domain.id, path=path)
        for child in self.children(domain.id):
            self._move(child, f"{path}/{child.name}")

    def _check_name(self, name: str, parent_id: str, but: str | None = None) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidParameterValue(
                f"{name!r} cannot name a domain: it is empty, or has a / or blanks around it"
            )
        for sibling in self.children(parent_id):
            if sibling.id != but and sibling.name.lower() == name.lower():
                raise InvalidParameterValue(f"A domain named {name} exists already below the same domain")

    def check_delete(self, domain: Domain) -> None:
        if domain.parent_id is None:
            raise PermissionDenied("The ROOT domain cannot be deleted")

    async def delete(self, domain_id: str, *, cleanup: bool = False) -> None:
        """Delete a domain; with `cleanup` all it holds, without it only an empty one."""
        domain = self._table.get(domain_id)
        if domain is None:
            return
        self.check_delete(domain)
        if not cleanup:
            held = self._foundation.table(Account).count("domain_id", domain_id)
            below = len(self.children(domain_id))
            if held or below:
                raise CloudError(
                    f"Domain {domain.path} cannot be deleted: it holds {held} accounts and {below} domains; "
                    "cleanup=true deletes them too"
                )
        with self._store.transaction():
            self._table.update(domain_id, state="Inactive")
        try:
            if cleanup:
                for child in self.children(domain_id):
                    await self.delete(child.id, cleanup=True)
                for hook in self.on_delete:
                    await hook(domain)
        except BaseException:
            with self._store.transaction():
                if domain_id in self._table:
                    self._table.update(domain_id, state="Active")
            raise
        limits = self._foundation.table(ResourceLimit)
        with self._store.transaction():
            for limit in limits.where("owner_id", domain_id):
                limits.delete(limit.id)
            if domain_id in self._table:
                remove_leftovers(self._foundation, domain_id)
                self._table.delete(domain_id)
