"""The records of what accounts used, from which bills are written, and what makes them."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.operations.schedule_times import zone_of
from cloudsim.management.usage import types
from cloudsim.management.usage.types import USAGE_TYPES
from cloudsim.model import Account, Domain, GuestOs, GuestOsCategory, UsageRecord
from server.api.command import ADMINS, ROOT, Call, Listed, Success, command
from server.api.commands.usage.describing import described, described_as_of_old
from server.api.listing import Page, page_of
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.scope import ownership, subtree
from server.api.views import Date, Long, TagView, View, Wire, date, owner, tags

GROUP = "Usage"


class UsageTypeView(View):
    """A kind of usage that is told."""

    key: ClassVar = "usagetype"

    id: Annotated[int | None, "its number, by which records are listed"] = None
    name: str | None = None
    description: str | None = None


class UsageRecordView(View):
    """What an account used of one thing in one span of time."""

    entity: ClassVar = UsageRecord
    key: ClassVar = "usagerecord"

    id: str | None = None
    account: str | None = None
    accountid: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    zoneid: str | None = None
    description: str | None = None
    usage: Annotated[str | None, "how much, with its unit"] = None
    usagetype: Annotated[int | None, "the kind's number"] = None
    rawusage: Annotated[str | None, "how much: hours, bytes or operations"] = None
    virtualmachineid: str | None = None
    name: str | None = None
    offeringid: str | None = None
    templateid: str | None = None
    ostypeid: str | None = None
    osdisplayname: str | None = None
    oscategoryid: str | None = None
    oscategoryname: str | None = None
    usageid: Annotated[str | None, "the id of what was used"] = None
    type: Annotated[str | None, "the hypervisor of an instance"] = None
    size: Annotated[Long | None, "bytes that it takes"] = None
    virtualsize: Annotated[Long | None, "bytes that it seems to have"] = None
    cpunumber: Long | None = None
    cpuspeed: Annotated[Long | None, "MHz"] = None
    memory: Annotated[Long | None, "MiB"] = None
    startdate: Date | None = None
    enddate: Date | None = None
    issourcenat: bool | None = None
    issystem: bool | None = None
    networkid: str | None = None
    isdefault: bool | None = None
    vpcid: str | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: UsageRecord, call: Call) -> Self:
        use, store = row.use, call.store
        whose = owner(call, row.account_id) or {"account": use.account, "domainid": use.domain_id}
        raw = f"{row.amount:.6f}".rstrip("0").rstrip(".")
        old_format, with_tags = call.cache["usage texts"]
        os = store.table(GuestOs).get(use.guest_os_id)
        category = store.table(GuestOsCategory).get(os.category_id) if os is not None else None
        return cls(
            id=row.id,
            accountid=row.account_id,
            zoneid=use.zone_id or None,
            description=described_as_of_old(use) if old_format else described(store, use),
            usage=f"{raw} {USAGE_TYPES[use.type].unit}",
            usagetype=use.type,
            rawusage=raw,
            virtualmachineid=use.vm_id,
            name=use.name or None,
            offeringid=use.offering_id,
            templateid=use.template_id,
            ostypeid=use.guest_os_id,
            osdisplayname=os.description if os is not None else None,
            oscategoryid=category.id if category is not None else None,
            oscategoryname=category.name if category is not None else None,
            usageid=use.resource_id,
            type=use.hypervisor or None,
            size=use.size,
            virtualsize=use.virtual_size,
            cpunumber=use.cpus,
            cpuspeed=use.cpu_mhz,
            memory=use.memory_mib,
            startdate=date(row.started),
            enddate=date(row.ended - 1),
            issourcenat=use.source_nat,
            issystem=use.system,
            networkid=use.network_id,
            isdefault=use.is_default,
            vpcid=use.vpc_id,
            tags=tags(call, use.resource_id) if with_tags else None,
            **whose,
        )


@command("listUsageTypes", view=UsageTypeView, roles=ADMINS, group=GROUP)
async def list_usage_types(call: Call) -> list[UsageTypeView]:
    """Lists the kinds of usage that records tell of."""
    return [
        UsageTypeView(id=number, name=kind.name, description=kind.description)
        for number, kind in sorted(USAGE_TYPES.items())
    ]


@command("listUsageRecords", view=UsageRecordView, roles=ADMINS, group=GROUP)
async def list_usage_records(
    call: Call,
    *,
    page: Page,
    startdate: Annotated[
        DateParameter, Param("of spans that begin then or later, in the time zone of usage")
    ],
    enddate: Annotated[DateParameter, Param("of spans that end then or before; a day alone is meant whole")],
    account: Annotated[str | None, Param("of that account; with domainid")] = None,
    accountid: Annotated[Account | None, Param("of that account")] = None,
    domainid: Annotated[Domain | None, Param("of that domain's accounts and projects")] = None,
    isrecursive: Annotated[bool, Param("of the domains below, too")] = False,
    projectid: Annotated[str | None, Param("of that project", type="uuid")] = None,
    type: Annotated[int | None, Param("of that kind; see listUsageTypes", type="long")] = None,
    usageid: Annotated[str | None, Param("of the thing of that id; with type")] = None,
    includetags: Annotated[bool, Param("with the tags that the things have now")] = False,
    oldformat: Annotated[bool, Param("descriptions as they were before 4.13, without names")] = False,
) -> Listed:
    """Lists what accounts used. A domain admin sees its own domain's, with isrecursive those below, too."""
    start, end = _in_zone(call, "startdate", startdate), _in_zone(call, "enddate", enddate)
    if end < start:
        raise InvalidParameterValue(
            f"Incorrect Date Range. Start date: {date(start)} is after end date: {date(end)}"
        )
    if type is not None and type not in USAGE_TYPES:
        raise InvalidParameterValue(f"Unable to find usage type {type}; see listUsageTypes")
    if usageid and type is None:
        raise InvalidParameterValue("Parameter usageid can be given only together with type")
    accounts, domains = _whose(call, account, accountid, domainid, isrecursive, projectid)

    def wanted(record: UsageRecord) -> bool:
        use = record.use
        return (
            (type is None or use.type == type)
            and (not usageid or usageid in (use.resource_id, use.vm_id if use.type in OF_VMS else None))
            and (domains is None or use.domain_id in domains)
            and (not page.keyword or page.keyword.lower() in f"{use.name}\0{use.account}".lower())
        )

    call.cache["usage texts"] = (oldformat, includetags)
    found = call.manager.usage_records.between(start, end, accounts, wanted)
    return page_of(found, page, search=())


OF_VMS = frozenset({types.NETWORK_OFFERING, types.SECURITY_GROUP})
"""Kinds of usage of which a thing has several, one for each instance."""


def _in_zone(call: Call, name: str, seconds: float) -> float:
    """A date without a zone of its own is one of the time zone in which usage is told."""
    text = call.fields[name].strip()
    if text.endswith("Z") or (len(text) > 10 and any(sign in text[10:] for sign in "+-")):
        return seconds
    zone = zone_of(call.manager.settings.get("usage.aggregation.timezone"))
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=zone).timestamp()


def _whose(
    call: Call,
    account: str | None,
    account_row: Account | None,
    domain: Domain | None,
    recursive: bool,
    project: str | None,
) -> tuple[tuple[str, ...] | None, frozenset[str] | None]:
    """Of which accounts, and of which domains, by their ids; None for all."""
    store, caller = call.store, call.caller
    if account_row is not None:
        if account or project:
            raise InvalidParameterValue("Parameter accountid excludes account and projectid")
        visibility.check(store, caller, account_row)
        return (account_row.id,), None
    if account or project:
        return ownership(call, account=account, domain=domain, project=project).accounts, None
    if domain is not None:
        visibility.check(store, caller, domain)
    elif caller.is_root_admin:
        return None, None
    else:
        domain = store.table(Domain)[caller.account.domain_id]
    domains = subtree(store, domain) if recursive else [domain]
    return None, frozenset(each.id for each in domains)


@command("generateUsageRecords", roles=ROOT, group=GROUP)
async def generate_usage_records(
    call: Call,
    *,
    startdate: Annotated[
        DateParameter | None, Param("as enddate; what has been told is not told again")
    ] = None,
    enddate: Annotated[
        DateParameter | None, Param("of what was used until then; by default until now")
    ] = None,
    domainid: Annotated[
        Domain | None, Param("a domain that exists: records are made for all at once")
    ] = None,
) -> Success:
    """Makes the records of what was used since records were made last, without waiting until they are due."""
    end = None if enddate is None else _in_zone(call, "enddate", enddate)
    if startdate is not None and end is not None and _in_zone(call, "startdate", startdate) > end:
        raise InvalidParameterValue("Parameter startdate is later than enddate")
    made = await call.manager.usage_records.generate(end)
    return Success(f"{made} records of usage were made")


@command("removeRawUsageRecords", roles=ROOT, group=GROUP, since="4.6.0")
async def remove_raw_usage_records(
    call: Call,
    *,
    interval: Annotated[int, Param("days: older records are removed; from 1 on")],
) -> Success:
    """Removes old records of usage."""
    if interval <= 0:
        raise InvalidParameterValue("Interval should be greater than 0")
    removed = await call.manager.usage_records.remove(interval)
    return Success(f"{removed} records of usage were removed")


class UsageServerMetricsView(View):
    """What makes records of usage, and when it did last."""

    key: ClassVar = "usageMetrics"

    collectiontime: Date | None = None
    hostname: str | None = None
    state: Annotated[str | None, Wire("state")] = None
    lastheartbeat: Annotated[Date | None, "when it was last looked whether records are due"] = None
    lastsuccessfuljob: Annotated[Date | None, "when records were made last"] = None


@command(
    "listUsageServerMetrics",
    view=UsageServerMetricsView,
    many=False,
    roles=ROOT,
    group="Metrics",
    since="4.17.0",
)
async def list_usage_server_metrics(call: Call) -> UsageServerMetricsView:
    """Tells whether usage is counted, and when records were made of it last."""
    records = call.manager.usage_records
    return UsageServerMetricsView(
        collectiontime=date(call.manager.foundation.now()),
        hostname=platform.node(),
        state="Up" if call.manager.usage_counting.enabled else "Down",
        lastheartbeat=date(records.heartbeat),
        lastsuccessfuljob=date(records.last_success),
    )
