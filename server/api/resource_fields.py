"""The view fields that say how much an account, project or domain has and may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from cloudsim.management.identity.limited_resources import GIB, TYPES, UNLIMITED, ResourceType
from cloudsim.management.identity.limits import vm_usage
from cloudsim.model import Account, Domain
from server.api.command import Call
from server.api.parameters import Param
from server.api.views import Long, View

_PREFIX = {
    "user_vm": "vm",
    "public_ip": "ip",
    "primary_storage": "primarystorage",
    "secondary_storage": "secondarystorage",
    "backup_storage": "backupstorage",
}


class TaggedResourceView(View):
    """How much there is and may be of what offerings with a host or storage tag give, in a limit's unit."""

    resourcetype: Annotated[str | None, "the kind's number"] = None
    resourcetypename: str | None = None
    tag: str | None = None
    limit: Annotated[Long | None, "-1 for none"] = None
    total: Long | None = None
    available: Annotated[Long | None, "-1 without a limit"] = None


class ResourceView(View):
    """Base of views with limits: `<kind>limit`, `<kind>total` and `<kind>available` of each kind."""

    vmlimit: str | None = None
    vmtotal: Long | None = None
    vmavailable: str | None = None
    iplimit: str | None = None
    iptotal: Long | None = None
    ipavailable: str | None = None
    volumelimit: str | None = None
    volumetotal: Long | None = None
    volumeavailable: str | None = None
    snapshotlimit: str | None = None
    snapshottotal: Long | None = None
    snapshotavailable: str | None = None
    templatelimit: str | None = None
    templatetotal: Long | None = None
    templateavailable: str | None = None
    networklimit: str | None = None
    networktotal: Long | None = None
    networkavailable: str | None = None
    vpclimit: str | None = None
    vpctotal: Long | None = None
    vpcavailable: str | None = None
    cpulimit: str | None = None
    cputotal: Long | None = None
    cpuavailable: str | None = None
    memorylimit: str | None = None
    memorytotal: Long | None = None
    memoryavailable: str | None = None
    primarystoragelimit: str | None = None
    primarystoragetotal: Long | None = None
    primarystorageavailable: str | None = None
    secondarystoragelimit: str | None = None
    secondarystoragetotal: float | None = None
    secondarystorageavailable: str | None = None
    backuplimit: str | None = None
    backuptotal: Long | None = None
    backupavailable: str | None = None
    backupstoragelimit: str | None = None
    backupstoragetotal: Long | None = None
    backupstorageavailable: str | None = None
    gpulimit: str | None = None
    gputotal: Long | None = None
    gpuavailable: str | None = None
    taggedresources: Annotated[
        list[TaggedResourceView] | None, "the same by the tags that there are limits for"
    ] = None


class WithProjects(ResourceView):
    """Base of those that own projects, too."""

    projectlimit: str | None = None
    projecttotal: Long | None = None
    projectavailable: str | None = None


Details = Annotated[Sequence[Literal["all", "resource", "min"]], Param("what to show: all (default), resource or min")]
"""Which parts of an account, domain or project are answered: with `min` alone not what it has and may have."""
LimitTag = Annotated[str | None, Param("of taggedresources only those by that tag", since="4.20.0")]


def show_resources(call: Call, details: Sequence[str], tag: str | None = None) -> None:
    """Have the views of this call show what `details` asks for, and of limits by tag only those by `tag`."""
    call.cache["resources"] = not details or not {"all", "resource"}.isdisjoint(details)
    call.cache["limit tag"] = tag or None


def wants_resources(call: Call) -> bool:
    """Whether the call asks for what costs counting; where it says nothing, it does."""
    wanted: bool = call.cache.get("resources", True)
    return wanted


def account_resources(call: Call, account: Account) -> dict[str, Any]:
    """The fields of WithProjects for an account, of ResourceView for a project's account, and vmrunning and vmstopped."""
    limits = call.manager.limits
    usage = vm_usage(call.store, account.id)
    known = {"user_vm": usage.vms, "cpu": usage.cpus, "memory": usage.memory_mib, "gpu": usage.gpus}
    fields: dict[str, Any] = {"vmrunning": usage.running, "vmstopped": usage.stopped}
    by_tag: list[TaggedResourceView] = []
    for type in TYPES:
        if type.name == "project" and account.project_id is not None:
            continue
        count = known[type.name] if type.name in known else limits.count(account.id, type)
        fields |= _three(type, limits.of_account(account, type), count)
        by_tag += [
            _tagged(type, tag, limits.of_account(account, type, tag), limits.count(account.id, type, tag))
            for tag in _shown_tags(call, type)
        ]
    return fields | {"taggedresources": by_tag or None}


def domain_resources(call: Call, domain: Domain) -> dict[str, Any]:
    """The fields of WithProjects for a domain with its subtree."""
    limits = call.manager.limits
    fields: dict[str, Any] = {}
    by_tag: list[TaggedResourceView] = []
    for type in TYPES:
        fields |= _three(type, limits.of_domain(domain, type), limits.count_domain(domain.id, type))
        by_tag += [
            _tagged(type, tag, limits.of_domain(domain, type, tag), limits.count_domain(domain.id, type, tag))
            for tag in _shown_tags(call, type)
        ]
    return fields | {"taggedresources": by_tag or None}


def _shown_tags(call: Call, type: ResourceType) -> Iterator[str]:
    """The tags that there are limits of that type for, or of them the one that the parameter `tag` asks for."""
    only = call.cache.get("limit tag")
    return (tag for tag in call.manager.limits.tags(type) if only is None or tag == only)


def _tagged(type: ResourceType, tag: str, limit: int, count: int) -> TaggedResourceView:
    total = count // type.unit
    return TaggedResourceView(
        resourcetype=str(type.number),
        resourcetypename=type.name,
        tag=tag,
        limit=limit,
        total=total,
        available=UNLIMITED if limit == UNLIMITED else max(limit - total, 0),
    )


def _three(type: ResourceType, limit: int, count: int) -> dict[str, Any]:
    prefix = _PREFIX.get(type.name, type.name)
    in_units = count if type.unit == 1 else count / GIB
    total: float = in_units if type.name == "secondary_storage" else int(in_units)
    unlimited = limit == UNLIMITED
    left = max(limit - total, 0)
    return {
        f"{prefix}limit": "Unlimited" if unlimited else str(limit),
        f"{prefix}total": float(total) if type.name == "secondary_storage" else total,
        f"{prefix}available": "Unlimited" if unlimited else str(int(left) if left == int(left) else left),
    }


assert {f for t in TYPES for f in _three(t, 0, 0)} == {
    f.name for f in msgspec.structs.fields(WithProjects) if f.name not in ("jobid", "jobstatus", "taggedresources")
}
