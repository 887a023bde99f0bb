"""Resource limits: how much of each kind an account, a project or a domain may have, and how much it has.

What is there is counted from the Store when asked, through its indexes; nothing is counted where no limit holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from cloudsim.errors import InvalidParameterValue, PermissionDenied, ResourceAllocationFailed
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller, in_subtree
from cloudsim.management.identity.limited_resources import BY_NAME, UNLIMITED, Kind, ResourceType
from cloudsim.management.identity.tagged_counts import TAG_SETTINGS, tagged_count, tags_named
from cloudsim.model import (
    Account,
    Domain,
    Network,
    ProjectMember,
    ResourceLimit,
    Snapshot,
    Template,
    TemplateOnStore,
    VirtualMachine,
    Volume,
    VolumeOnStore,
)
from cloudsim.model.compute import GONE
from cloudsim.model.identity import PROJECT_ACCOUNT, ROOT_ADMIN
from cloudsim.store import Store


class Usage(NamedTuple):
    """What an account's instances take."""

    vms: int = 0
    cpus: int = 0
    memory_mib: int = 0
    running: int = 0
    stopped: int = 0
    gpus: int = 0


def vm_usage(store: Store, account_id: str) -> Usage:
    """Instances of an account that count: neither system VMs nor those destroyed."""
    vms = cpus = memory = running = stopped = gpus = 0
    for vm in store.table(VirtualMachine).where("account_id", account_id):
        if vm.type == "User" and vm.state not in GONE:
            vms += 1
            cpus += vm.cpus
            memory += vm.memory_mib
            running += vm.state == "Running"
            stopped += vm.state == "Stopped"
            gpus += vm.gpus
    return Usage(vms, cpus, memory, running, stopped, gpus)


Counter = Callable[[Store, str], int]
"""(store, account id) -> how many it has."""


def _volumes(store: Store, account_id: str) -> list[Volume]:
    volumes = store.table(Volume).where("account_id", account_id)
    return [v for v in volumes if v.state not in ("Destroy", "Expunging", "Expunged")]


def _primary(store: Store, account_id: str) -> int:
    """Bytes of disks: what was uploaded takes secondary storage until it is first used."""
    uploaded = store.table(VolumeOnStore)
    return sum(v.size for v in _volumes(store, account_id) if uploaded.find("volume_id", v.id) is None)


def _templates(store: Store, account_id: str) -> list[Template]:
    return [t for t in store.table(Template).where("account_id", account_id) if t.state == "Active"]


def _secondary(store: Store, account_id: str) -> int:
    copies = store.table(TemplateOnStore)
    templates = sum(
        copy.size for t in _templates(store, account_id) for copy in copies.where("template_id", t.id)
    )
    snapshots = store.table(Snapshot).where("account_id", account_id)
    uploaded = store.table(VolumeOnStore)
    if len(uploaded):
        for volume in _volumes(store, account_id):
            upload = uploaded.find("volume_id", volume.id)
            templates += upload.physical_size if upload is not None else 0
    return templates + sum(s.physical_size for s in snapshots if s.location_type == "SECONDARY")


def _projects(store: Store, account_id: str) -> int:
    """Projects that the account leads, or one of its users by itself."""
    members = store.table(ProjectMember).where("account_id", account_id)
    return len({member.project_id for member in members if member.role == "Admin"})


class Limits:
    """The limits. `counters` says how each kind is counted; a service with a new kind registers it there."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(ResourceLimit)
        self._accounts = foundation.table(Account)
        self._domains = foundation.table(Domain)
        self._randomness = foundation.randomness.branch("limits")
        self.counters: dict[Kind, Counter] = {
            "user_vm": lambda store, owner: vm_usage(store, owner).vms,
            "public_ip": lambda store, owner: 0,
            "volume": lambda store, owner: len(_volumes(store, owner)),
            "snapshot": lambda store, owner: store.table(Snapshot).count("account_id", owner),
            "template": lambda store, owner: len(_templates(store, owner)),
            "project": _projects,
            "network": lambda store, owner: store.table(Network).count("account_id", owner),
            "vpc": lambda store, owner: 0,
            "cpu": lambda store, owner: vm_usage(store, owner).cpus,
            "memory": lambda store, owner: vm_usage(store, owner).memory_mib,
            "primary_storage": _primary,
            "secondary_storage": _secondary,
            "backup": lambda store, owner: 0,
            "backup_storage": lambda store, owner: 0,
            "gpu": lambda store, owner: vm_usage(store, owner).gpus,
        }

    # how much may be

    def tags(self, type: ResourceType) -> tuple[str, ...]:
        """The tags that there are limits of that type for, besides those for all."""
        setting = TAG_SETTINGS.get(type.name)
        return () if setting is None else tags_named(self._foundation.settings.get(setting))

    def check_tag(self, type: ResourceType, tag: str) -> None:
        """Raise InvalidParameterValue for a tag, not empty, that there are no limits of that type for."""
        if tag and tag not in self.tags(type):
            setting = TAG_SETTINGS.get(type.name)
            where = f": the setting {setting} does not name it" if setting else ""
            raise InvalidParameterValue(f"Parameter tag: there are no limits for {type.name} by tag {tag}{where}")

    def _row(self, owner_id: str, type: ResourceType, tag: str) -> ResourceLimit | None:
        return self._table.find(("owner_id", "type", "tag"), (owner_id, type.number, tag))

    def of_account(self, account: Account, type: ResourceType, tag: str = "") -> int:
        """The account's limit, in the type's unit; -1 for none. A root admin has none.

        By tags there are none but those that were set.
        """
        if account.type == ROOT_ADMIN:
            return UNLIMITED
        row = self._row(account.id, type, tag)
        if row is not None:
            return row.max
        if tag:
            return UNLIMITED
        return self._default("project" if account.type == PROJECT_ACCOUNT else "account", type)

    def of_domain(self, domain: Domain, type: ResourceType, tag: str = "") -> int:
        """The domain's limit for all accounts of its subtree; -1 for none. ROOT has none."""
        if domain.parent_id is None:
            return UNLIMITED
        row = self._row(domain.id, type, tag)
        if row is not None:
            return row.max
        return UNLIMITED if tag else self._default("domain", type)

    def _default(self, owner: str, type: ResourceType) -> int:
        return self._foundation.settings.integer(f"max.{owner}.{type.key}")

    # how much is

    def count(self, account_id: str, type: ResourceType, tag: str = "") -> int:
        """How much the account has; storage in bytes."""
        if tag:
            return tagged_count(self._store, account_id, type.name, tag)
        return self.counters[type.name](self._store, account_id)

    def count_domain(self, domain_id: str, type: ResourceType, tag: str = "") -> int:
        """How much the accounts of the domain's subtree have together."""
        total = sum(self.count(account.id, type, tag) for account in self._accounts.where("domain_id", domain_id))
        return total + sum(
            self.count_domain(child.id, type, tag) for child in self._domains.where("parent_id", domain_id)
        )

    # the check

    def check(self, owner: Account, resource: Kind, amount: int = 1, *, tags: Collection[str] = ()) -> None:
        """Raise ResourceAllocationFailed if `amount` more (bytes, for storage) would exceed a limit.

        The limits are the account's own and those of its domain and all above it; and those by the `tags` that the
        offering has.
        """
        type = BY_NAME[resource]
        if owner.type == ROOT_ADMIN or amount <= 0:
            return
        for tag in ("", *(tag for tag in self.tags(type) if tag in tags)):
            self._check(owner, type, amount, tag)

    def check_growth(
        self,
        owner: Account,
        resource: Kind,
        before: int,
        after: int,
        *,
        had: Collection[str] = (),
        tags: Collection[str] = (),
    ) -> None:
        """Raise ResourceAllocationFailed if what the owner has `before` would exceed a limit as it is to be `after`.

        `had` are its offering's tags now, `tags` those of the offering that it is to have: by a new tag all of it counts.
        """
        type = BY_NAME[resource]
        if owner.type == ROOT_ADMIN:
            return
        for tag in ("", *(tag for tag in self.tags(type) if tag in tags)):
            amount = after - (before if not tag or tag in had else 0)
            if amount > 0:
                self._check(owner, type, amount, tag)

    def _check(self, owner: Account, type: ResourceType, amount: int, tag: str) -> None:
        by = f" by tag {tag}" if tag else ""
        limit = self.of_account(owner, type, tag)
        if limit != UNLIMITED:
            have = self.count(owner.id, type, tag)
            self._compare(type, limit, have, amount, f"account {owner.name}{by}")
        domain = self._domains.get(owner.domain_id)
        while domain is not None:
            limit = self.of_domain(domain, type, tag)
            if limit != UNLIMITED:
                have = self.count_domain(domain.id, type, tag)
                self._compare(type, limit, have, amount, f"domain {domain.path}{by}")
            domain = self._domains.get(domain.parent_id)

    def check_move(self, domain: Domain, parent: Domain) -> None:
        """Raise ResourceAllocationFailed if what the domain's subtree has would exceed a limit below its new parent.

        Domains above both the old and the new place have it already.
        """
        above_already = f"{domain.path}/"
        above: Domain | None = parent
        while above is not None and not above_already.startswith(f"{above.path}/"):
            for type in BY_NAME.values():
                limit = self.of_domain(above, type)
                if limit != UNLIMITED:
                    have, more = self.count_domain(above.id, type), self.count_domain(domain.id, type)
                    self._compare(type, limit, have, more, f"domain {above.path}")
            above = self._domains.get(above.parent_id)

    @staticmethod
    def _compare(type: ResourceType, limit: int, have: int, amount: int, whose: str) -> None:
        if have + amount > limit * type.unit:
            raise ResourceAllocationFailed(
                f"The resource limit of {whose} for {type.name} would be exceeded: {limit} {type.label} allowed, "
                f"{_shown(have, type)} in use, {_shown(amount, type)} more asked for"
            )

    def check_deployment(
        self,
        owner: Account,
        cpus: int,
        memory_mib: int,
        gpus: int,
        root_size: int | None,
        data_sizes: list[int],
        *,
        host_tags: Collection[str] = (),
        disk_tags: Sequence[Collection[str]] = (),
    ) -> None:
        """Raise ResourceAllocationFailed unless one more instance of that size is within every limit.

        `root_size` None: its root disk is there already. `host_tags` are those of its offering, `disk_tags` the
        storage tags of the root disk's and of each data disk's.
        """
        if owner.type == ROOT_ADMIN:
            return
        self.check(owner, "user_vm", tags=host_tags)
        self.check(owner, "cpu", cpus, tags=host_tags)
        self.check(owner, "memory", memory_mib, tags=host_tags)
        self.check(owner, "gpu", gpus, tags=host_tags)
        new = [size for size in (root_size, *data_sizes) if size is not None]
        self.check(owner, "volume", len(new))
        self.check(owner, "primary_storage", sum(new))
        whose = list(zip((root_size, *data_sizes), disk_tags, strict=False))
        for tag in self.tags(BY_NAME["volume"]):
            tagged = [size for size, tags in whose if size is not None and tag in tags]
            if tagged:
                self._check(owner, BY_NAME["volume"], len(tagged), tag)
                self._check(owner, BY_NAME["primary_storage"], sum(tagged), tag)

    # setting them

    def set(
        self,
        caller: Caller,
        owner: Account | Domain,
        type: ResourceType,
        maximum: int | None,
        tag: str = "",
    ) -> ResourceLimit:
        """Set an account's or domain's limit, or with a `tag` that by it; None or below 0 means no limit."""
        maximum = UNLIMITED if maximum is None or maximum < 0 else maximum
        self.check_tag(type, tag)
        self._check_may_set(caller, owner, type, maximum, tag)
        row = self._row(owner.id, type, tag)
        with self._store.transaction():
            if row is not None:
                return self._table.update(row.id, max=maximum)
            return self._table.insert(
                ResourceLimit(
                    id=self._randomness.uuid(),
                    owner_id=owner.id,
                    owner="Account" if isinstance(owner, Account) else "Domain",
                    type=type.number,
                    max=maximum,
                    tag=tag,
                )
            )

    def _check_may_set(
        self, caller: Caller, owner: Account | Domain, type: ResourceType, maximum: int, tag: str
    ) -> None:
        account = caller.account
        if isinstance(owner, Account):
            if owner.type == ROOT_ADMIN:
                raise InvalidParameterValue(f"Account {owner.name} is a root admin: it has no limits")
            if owner.id == account.id:
                raise PermissionDenied(f"Account {account.name} cannot set its own limits")
            domain = self._domains[owner.domain_id]
        else:
            if owner.parent_id is None:
                raise InvalidParameterValue("The ROOT domain has no limits")
            if owner.id == account.domain_id:
                raise PermissionDenied(f"Account {account.name} cannot set the limits of its own domain")
            domain = self._domains[owner.parent_id]
        if not caller.is_root_admin and not in_subtree(self._store, domain.id, account.domain_id):
            raise PermissionDenied(f"Account {account.name} cannot set limits in domain {domain.path}")
        above = self.of_domain(domain, type, tag)
        if (
            above != UNLIMITED
            and maximum > above  # UNLIMITED is not: then the domain above is what limits
            and not isinstance(owner, Account)
        ):
            raise InvalidParameterValue(
                f"The limit for {type.name} cannot be above that of domain {domain.path}, which is {above}"
            )


def _shown(amount: int, type: ResourceType) -> str:
    return str(amount) if type.unit == 1 else f"{amount / type.unit:.1f}"
