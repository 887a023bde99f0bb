"""Whether what the cloud counts is what its lists show, and whether any of it is more than its limit allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cloudsim.invariants import Violation
from cloudsim.model import Account, Domain, Project
from cloudsim.model.identity import PROJECT_ACCOUNT
from tests.selfservice.cloud import ServedCloud

GIB = 1 << 30

Counts = dict[str, Counter[str]]
"""Owner's id -> kind -> how much, as the lists show; storage in bytes, memory in MiB."""

_FIELDS = {
    "user_vm": "vm",
    "public_ip": "ip",
    "primary_storage": "primarystorage",
    "secondary_storage": "secondarystorage",
    "backup_storage": "backupstorage",
}
KINDS = (
    "user_vm",
    "public_ip",
    "volume",
    "snapshot",
    "template",
    "project",
    "network",
    "vpc",
    "cpu",
    "memory",
    "primary_storage",
    "secondary_storage",
    "backup",
    "backup_storage",
)
"""What is compared."""
_UPLOADED = frozenset({"NotUploaded", "UploadOp", "Uploaded", "UploadError", "UploadAbandoned"})
"""States of a volume that is in secondary storage alone."""
_BYTES = frozenset({"primary_storage", "secondary_storage", "backup_storage"})


class Counting:
    """Compares counts with lists, and remembers them, to see when one grows beyond its limit."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], float] = {}
        self._limits: dict[tuple[str, str], float] = {}

    def check(self, cloud: ServedCloud) -> Iterator[Violation]:
        """What is wrong at this instant."""
        counts = counted(cloud)
        below = _below(cloud)
        told = dict(_told(cloud))
        for owner_id, (name, fields) in told.items():
            whose = below.get(owner_id, [owner_id])
            for kind in KINDS:
                prefix = _FIELDS.get(kind, kind)
                if f"{prefix}total" not in fields:
                    continue
                real: float = sum(counts.get(each, Counter())[kind] for each in whose)
                shown = float(fields[f"{prefix}total"])
                real = real / GIB if kind == "secondary_storage" else real // GIB if kind in _BYTES else real
                if abs(shown - real) > 1e-6:
                    yield Violation("counts equal reality", f"{name} has {real} of {kind}, counts {shown}")
                yield from self._limited(owner_id, name, kind, real, fields[f"{prefix}limit"])
            for row in fields.get("taggedresources", []):
                kind, unit = by_tag(row["resourcetypename"], row["tag"]), GIB if row["resourcetypename"] in _BYTES else 1
                real = sum(counts.get(each, Counter())[kind] for each in whose) // unit
                if row["total"] != real:
                    yield Violation("counts equal reality", f"{name} has {real} of {kind}, counts {row['total']}")
                limit = "Unlimited" if row["limit"] == -1 else str(row["limit"])
                yield from self._limited(owner_id, name, kind, real, limit)
        yield from _recounted(cloud, counts)

    def _limited(self, owner_id: str, name: str, kind: str, real: float, limit: str) -> Iterator[Violation]:
        key = owner_id, kind
        now = float("inf") if limit == "Unlimited" else float(limit)
        allowed = max(now, self._limits.get(key, now))
        before = self._before.get(key, 0.0)
        if real > allowed and real > before and kind != "secondary_storage":
            yield Violation("limits hold", f"{name} has {real} of {kind}, had {before}, may have {allowed}")
        self._limits[key], self._before[key] = now, real


def by_tag(kind: str, tag: str) -> str:
    """What is counted of a kind, by a tag or, where that is empty, by all of them."""
    return f"{kind} by tag {tag}" if tag else kind


def _told(cloud: ServedCloud) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Owner's id -> its name, and the fields that the lists of accounts, domains and projects tell of it."""
    admin = cloud.admin
    for row in every(cloud, "listAccounts", "account"):
        if row["name"] != "system":
            yield row["id"], (f"account {row['name']}", row)
    for row in every(cloud, "listDomains", "domain"):
        if row["path"] != "ROOT":  # ROOT has the cloud's own as well
            yield row["id"], (f"domain {row['path']}", row)
    projects = cloud.store.table(Project)
    for row in cloud.ask(admin, "listProjects", listall=True, pagesize=-1).body.get("project", []):
        yield projects[row["id"]].account_id, (f"project {row['name']}", row)


def _below(cloud: ServedCloud) -> dict[str, list[str]]:
    """Domain's id -> ids of the accounts in it and below it, projects' too."""
    domains, accounts = cloud.store.table(Domain), cloud.store.table(Account)
    found: dict[str, list[str]] = {domain.id: [] for domain in domains}
    for account in accounts:
        domain = domains.get(account.domain_id)
        while domain is not None:
            found[domain.id].append(account.id)
            domain = domains.get(domain.parent_id)
    return found


def every(cloud: ServedCloud, command: str, key: str, **more: Any) -> list[dict[str, Any]]:
    """All rows that a list command shows the root admin, those of projects too."""
    found = cloud.ask(cloud.admin, command, listall=True, pagesize=-1, **more).body.get(key, [])
    rows: list[dict[str, Any]] = found
    return rows


def _owned(cloud: ServedCloud, command: str, key: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    """The rows, projects' included, each with its owner's id."""
    accounts = cloud.store.table(Account)
    projects = cloud.store.table(Project)
    known = {(a.domain_id, a.name): a.id for a in accounts}
    rows = {
        row["id"]: row for where in ({}, {"projectid": "-1"}) for row in every(cloud, command, key, **where, **more)
    }
    found = []
    for row in rows.values():
        if "projectid" in row:
            found.append((projects[row["projectid"]].account_id, row))
        elif "account" in row:
            found.append((known[row["domainid"], row["account"]], row))
    return found


def counted(cloud: ServedCloud) -> Counts:
    """How much each account has, by what the root admin is shown."""
    counts: Counts = {}

    def add(owner: str, kind: str, amount: float = 1) -> None:
        counts.setdefault(owner, Counter())[kind] += amount  # type: ignore[assignment]

    services = {row["id"]: row for row in every(cloud, "listServiceOfferings", "serviceoffering")}
    disks = {row["id"]: row for row in every(cloud, "listDiskOfferings", "diskoffering")}
    for owner, vm in _owned(cloud, "listVirtualMachines", "virtualmachine"):
        if vm["state"] not in ("Destroyed", "Expunging", "Error"):
            for tag in ("", *_tags(services.get(vm["serviceofferingid"], {}).get("hosttags"))):
                add(owner, by_tag("user_vm", tag))
                add(owner, by_tag("cpu", tag), vm["cpunumber"])
                add(owner, by_tag("memory", tag), vm["memory"])
    for owner, volume in _owned(cloud, "listVolumes", "volume"):
        if volume["state"] not in ("Destroy", "Expunging", "Expunged"):
            uploaded = volume["state"] in _UPLOADED
            if uploaded:
                add(owner, "secondary_storage", volume.get("size", 0))
            offering = disks.get(volume.get("diskofferingid")) or services.get(volume.get("serviceofferingid"), {})
            for tag in ("", *_tags(offering.get("tags", offering.get("storagetags")))):
                add(owner, by_tag("volume", tag))
                if not uploaded:
                    add(owner, by_tag("primary_storage", tag), volume.get("size", 0))
    for owner, snapshot in _owned(cloud, "listSnapshots", "snapshot"):
        add(owner, "snapshot")
        add(owner, "secondary_storage", snapshot.get("physicalsize", 0))
    for owner, backup in _owned(cloud, "listBackups", "backup"):
        add(owner, "backup")
        taken = backup["status"] not in ("Allocated", "BackingUp")
        add(owner, "backup_storage", backup["size" if taken else "virtualsize"])
    for owner, template in [
        *_owned(cloud, "listTemplates", "template", templatefilter="all", showunique=True),
        *_owned(cloud, "listIsos", "iso", isofilter="all", showunique=True),
    ]:
        add(owner, "template")
        add(owner, "secondary_storage", template.get("size", 0))
    for owner, _ in _owned(cloud, "listNetworks", "network"):
        add(owner, "network")
    for owner, _ in _owned(cloud, "listVPCs", "vpc"):
        add(owner, "vpc")
    for owner, _ in _owned(cloud, "listPublicIpAddresses", "publicipaddress"):
        add(owner, "public_ip")
    known = {(a.domain_id, a.name): a.id for a in cloud.store.table(Account)}
    for project in cloud.ask(cloud.admin, "listProjects", listall=True, pagesize=-1).body.get("project", []):
        for leader in {o["account"] for o in project["owner"]}:
            add(known[project["domainid"], leader], "project")
    return counts


def _tags(text: str | None) -> list[str]:
    return text.split(",") if text else []


def _recounted(cloud: ServedCloud, counts: Counts) -> Iterator[Violation]:
    """updateResourceCount, account by account, says the same."""
    domains = cloud.store.table(Domain)
    for account in cloud.store.table(Account):
        if account.type == PROJECT_ACCOUNT or account.name == "system" or account.domain_id not in domains:
            continue
        answer = cloud.ask(cloud.admin, "updateResourceCount", account=account.name, domainid=account.domain_id)
        if answer.status != 200:
            yield Violation("counts equal reality", f"updateResourceCount of {account.name}: {answer.text}")
            continue
        for row in answer.body["resourcecount"]:
            kind = row["resourcetypename"]
            if kind not in KINDS:
                continue
            kind = by_tag(kind, row.get("tag", ""))
            real = counts.get(account.id, Counter())[kind]
            if row["resourcecount"] != real:
                text = f"updateResourceCount of {account.name}: {row['resourcecount']} of {kind}, lists show {real}"
                yield Violation("counts equal reality", text)
