"""How a zone looks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.network.mtus import BY_USERS, MOST
from cloudsim.model import Domain, Zone
from server.api.command import Call
from server.api.commands.infrastructure.capacity_view import CapacityView, capacity_report, noted_capacities
from server.api.views import Long, TagView, View, tags


class ZoneView(View):
    """A datacenter. Only root admins see its addresses and capacity."""

    entity: ClassVar = Zone
    key: ClassVar = "zone"

    id: str | None = None
    name: str | None = None
    displaytext: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    internaldns1: str | None = None
    internaldns2: str | None = None
    guestcidraddress: str | None = None
    domain: Annotated[str | None, "the DNS domain of its networks"] = None
    domainid: Annotated[str | None, "the domain that alone may use it"] = None
    domainname: str | None = None
    networktype: Annotated[str | None, "Basic or Advanced"] = None
    securitygroupsenabled: bool | None = None
    gputotal: Long | None = None
    gpuused: Long | None = None
    allocationstate: Annotated[str | None, "Enabled or Disabled"] = None
    zonetoken: str | None = None
    dhcpprovider: str | None = None
    capacity: list[CapacityView] | None = None
    localstorageenabled: bool | None = None
    tags: list[TagView] | None = None
    resourcedetails: dict[str, str] | None = None
    type: Annotated[str | None, "Core"] = None
    allowuserspecifyvrmtu: bool | None = None
    routerprivateinterfacemaxmtu: int | None = None
    routerpublicinterfacemaxmtu: int | None = None
    isnsxenabled: bool | None = None
    ismultiarch: bool | None = None
    routedmodeenabled: bool | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Zone, call: Call) -> Self:
        domain = call.store.table(Domain).get(row.domain_id)
        settings = call.manager.foundation.settings
        shown = cls(
            id=row.id,
            name=row.name,
            domain=row.domain,
            domainid=row.domain_id,
            domainname=domain.name if domain is not None else None,
            networktype=row.network_type,
            securitygroupsenabled=row.security_groups,
            allocationstate=row.allocation_state,
            zonetoken=row.zone_token or None,
            dhcpprovider=row.dhcp_provider,
            localstorageenabled=row.local_storage,
            tags=tags(call, row.id),
            type="Edge" if row.is_edge else "Core",
            allowuserspecifyvrmtu=settings.boolean(BY_USERS, "Zone", row.id),
            routerprivateinterfacemaxmtu=settings.integer(MOST["privatemtu"], "Zone", row.id),
            routerpublicinterfacemaxmtu=settings.integer(MOST["publicmtu"], "Zone", row.id),
            isnsxenabled=False,
            ismultiarch=False,
            routedmodeenabled=False,
        )
        if call.caller.is_root_admin:
            shown.dns1, shown.dns2 = row.dns1, row.dns2
            shown.internaldns1, shown.internaldns2 = row.internal_dns1, row.internal_dns2
            shown.guestcidraddress = row.guest_cidr
            shown.resourcedetails = row.details or None
            shown.capacity = noted_capacities(call, row)
            shown._count_gpus(row, call)
        return shown

    def _count_gpus(self, row: Zone, call: Call) -> None:
        hosts = call.manager.capacity
        if not hosts.gpu_free.shape[1]:
            return
        sums = call.cache.get("zone sums")
        if sums is None:
            sums = call.cache["zone sums"] = capacity_report(call).host_sums("zone")
        self.gputotal, self.gpuused = sums.of(hosts.group(row.id))[-2:]
