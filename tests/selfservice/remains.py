"""Whether what is deleted leaves something behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from cloudsim.invariants import Violation
from cloudsim.model import (
    Account,
    Alert,
    AsyncJob,
    Backup,
    CapacitySample,
    Domain,
    DrsPlan,
    Event,
    Network,
    PhysicalNetwork,
    Project,
    Template,
    UsageAmount,
    UsageInterval,
    UsageRecord,
    VmUsage,
    Volume,
    WebhookDelivery,
)
from cloudsim.store import Change, Row, Store
from tests.selfservice.cloud import ServedCloud

HISTORY: frozenset[type[Row]] = frozenset(
    {
        Event,
        AsyncJob,
        Alert,
        CapacitySample,
        DrsPlan,
        VmUsage,
        WebhookDelivery,
        UsageInterval,
        UsageAmount,
        UsageRecord,
    }
)
"""What tells of the past, and may name what is gone."""

KEPT: frozenset[tuple[str, str]] = frozenset(
    {
        ("VirtualMachine", "last_host_id"),
        ("Volume", "snapshot_id"),
        ("Volume", "template_id"),
        ("VirtualMachine", "template_id"),
        ("VirtualMachine", "user_id"),
        ("Snapshot", "volume_id"),
        ("Snapshot", "template_id"),
        ("Snapshot", "policy_id"),
        ("Template", "source_template_id"),
        ("Backup", "schedule_id"),
        ("Backup", "vm_id"),
        ("Backup", "vm_details"),
        ("Backup", "volumes"),
    }
)
"""(row type, field) that tells where something came from: CloudStack, too, keeps it when that is gone."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Remains:
    """Follows what is deleted, over the restarts of a manager."""

    def __init__(self) -> None:
        self.gone: dict[str, str] = {}
        """What was deleted: by its id, what it was."""

    def follow(self, store: Store) -> None:
        """Note from now on what is deleted from the store."""
        store.subscribe(self._changed)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if after is None and table.row_type not in HISTORY:
                name = getattr(before, "name", None) or getattr(before, "username", "")
                self.gone[before.id] = f"{table.row_type.__name__} {name}".strip()
            elif after is not None and before is None:
                self.gone.pop(after.id, None)

    def check(self, cloud: ServedCloud) -> Iterator[Violation]:
        """Rows that name what is gone, and what is nobody's, on a quiet cloud."""
        for name, table in cloud.store.tables.items():
            if table.row_type in HISTORY:
                continue
            for row in table:
                if not (isinstance(row, Template) and _needed(cloud.store, row)):
                    yield from self._dangling(name, row)
        yield from _secondary(cloud)
        yield from _vlans(cloud)
        yield from _owners(cloud)

    def _dangling(self, name: str, row: Row) -> Iterator[Violation]:
        for field in row.__struct_fields__:
            value = getattr(row, field)
            if field == "id" or value is None or isinstance(value, int | float) or (name, field) in KEPT:
                continue
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for found in _UUID.findall(text):
                if found in self.gone:
                    what = f"{name} {getattr(row, 'name', row.id)}: {field} names {self.gone[found]}, which is gone"
                    yield Violation("nothing is left behind", what)


def _needed(store: Store, template: Template) -> bool:
    """Whether a deleted template, which nobody sees any more, is what another's disk is a clone of."""
    return template.state == "Inactive" and any(v.template_id == template.id for v in store.table(Volume))


def _secondary(cloud: ServedCloud) -> Iterator[Violation]:
    """Every file on secondary storage is a template's, snapshot's, volume's or backup's."""
    store = cloud.store
    known = {row.path for name in ("TemplateOnStore", "Snapshot", "VolumeOnStore") for row in store.tables[name]}
    known |= {volume.path for backup in store.table(Backup) for volume in backup.volumes}
    for url, image_store in cloud.world.site.stores.items():
        for path in sorted({*image_store.files, *image_store.parts}):
            if path not in known:
                yield Violation("nothing is left behind", f"{path} on {url} is nobody's")


def _vlans(cloud: ServedCloud) -> Iterator[Violation]:
    """No VLAN is taken but by a network that exists."""
    store = cloud.store
    used: dict[tuple[str | None, str], str] = {}
    for network in store.table(Network):
        if network.vlan is not None and network.physical_network_id in store.table(PhysicalNetwork):
            key = network.physical_network_id, str(network.vlan)
            if key in used:
                yield Violation("given once", f"VLAN {key[1]} of {network.name} is that of {used[key]}")
            used[key] = network.name


def _owners(cloud: ServedCloud) -> Iterator[Violation]:
    """Accounts and projects have their domains, project accounts their projects."""
    store = cloud.store
    domains, projects = store.table(Domain), store.table(Project)
    for account in store.table(Account):
        if account.domain_id not in domains:
            yield Violation("nothing is left behind", f"account {account.name} of a domain that is gone")
        if account.project_id is not None and account.project_id not in projects:
            yield Violation("nothing is left behind", f"account {account.name} of a project that is gone")


def guests(cloud: ServedCloud) -> Iterator[Violation]:
    """What runs on the hosts is an instance of the cloud."""
    known = {vm.instance_name for vm in cloud.store.tables["VirtualMachine"]}
    for host in cloud.world.hosts.values():
        for report in host.hypervisor.inventory():
            if report.name not in known:
                yield Violation("nothing is left behind", f"{report.name} runs on {host.name}")
