"""For whom an offering is: how its domains and zones look, and which offerings a caller is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import in_subtree
from cloudsim.model import DiskOffering, Domain, NetworkOffering, Project, ServiceOffering, VpcOffering, Zone
from server.api.command import Call
from server.api.ownership import account_named
from server.api.parameters import Param, Parameter, parameter


def scope_fields(call: Call, row: ServiceOffering | DiskOffering | NetworkOffering | VpcOffering) -> dict[str, Any]:
    """domainid, domain, zoneid and zone, by commas; nothing for an offering that is for all."""
    fields = {}
    if row.domain_ids:
        table = call.store.table(Domain)
        domains = [domain for each in row.domain_ids if (domain := table.get(each)) is not None]
        fields["domainid"] = ",".join(domain.id for domain in domains)
        fields["domain"] = ",".join(domain.path for domain in domains)
    if row.zone_ids:
        zones = [zone for each in row.zone_ids if (zone := call.store.table(Zone).get(each)) is not None]
        fields["zoneid"] = ",".join(zone.id for zone in zones)
        fields["zone"] = ",".join(zone.name for zone in zones)
    return fields


def scope_ids(
    call: Call, row_type: type[Domain] | type[Zone], parameter: str, text: str | None, everyone: str
) -> tuple[str, ...] | None:
    """The ids that the text names, checked; none for `everyone`, None where nothing is said."""
    if text is None:
        return None
    if text.strip().lower() == everyone:
        return ()
    ids = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for each in ids:
        if call.resolve(row_type, each, "use") is None:
            raise InvalidParameterValue(f"Please specify a valid {parameter}: there is none of id {each}")
    return ids


@dataclass(frozen=True)
class Audience:
    """Who is to be offered what a list shows: a domain, or None for whoever asks; `recursive`: with those below.

    `alone`: only what is made for that very domain, which for the id -1 is nothing, and not what is for all.
    """

    domain: Domain | None
    recursive: bool
    alone: bool = False


class _AudienceParameters:
    parameters: tuple[Parameter, ...] = (
        parameter("account", Annotated[str | None, Param("what that account may use; with domainid")], None),
        parameter("domainid", Annotated[Domain | Literal["-1"] | None, Param("what is for that domain alone")], None),
        parameter("projectid", Annotated[Project | Literal["-1"] | None, Param("what that project may use")], None),
        parameter("isrecursive", Annotated[bool, Param("for admins: those of domains below, too")], False),
        parameter("listall", Annotated[bool, Param("for admins: those of all domains that they see")], False),
    )

    def value(self, call: Call, values: Mapping[str, Any]) -> Audience:
        store, caller = call.store, call.caller
        name, domain, project = values.get("account"), values.get("domainid"), values.get("projectid")
        project = None if project == "-1" else project  # clients say so in every list, and mean all that they may use
        if name and project is not None:
            raise InvalidParameterValue("Parameters account and projectid exclude each other")
        recursive = values.get("isrecursive", False) or (values.get("listall", False) and domain is None)
        if domain == "-1":
            return Audience(None, False, alone=True)
        if project is not None:
            return Audience(store.table(Domain)[project.domain_id], recursive)
        if name:
            account = account_named(store, name, domain or store.table(Domain)[caller.account.domain_id])
            visibility.check(store, caller, account)
            return Audience(store.table(Domain)[account.domain_id], values.get("isrecursive", False))
        return Audience(domain, recursive, alone=domain is not None)


Offered = Annotated[Audience, _AudienceParameters()]
"""account, domainid, projectid, isrecursive and listall of lists of offerings."""


def offered(
    call: Call,
    row: ServiceOffering | DiskOffering,
    *,
    zone: Zone | None,
    audience: Audience,
    state: str | None,
    storage_type: str | None,
) -> bool:
    """Whether a list call that asks so, by that caller, shows the offering. `state` None means Active.

    A recursive audience is, for an admin, also of domains below its own, or of them below the one asked for.
    As in CloudStack, a domain that is asked for without an account is shown what was made for it, and nothing else.
    """
    domain, recursive = audience.domain, audience.recursive
    if (state or "Active").lower() not in ("all", row.state.lower()):
        return False
    if zone is not None and row.zone_ids and zone.id not in row.zone_ids:
        return False
    if storage_type is not None and row.storage_type != storage_type.lower():
        return False
    if not row.domain_ids or (audience.alone and domain is None):
        return not audience.alone
    store, caller = call.store, call.caller
    if domain is not None and not any(
        (domain.id == each if audience.alone else in_subtree(store, domain.id, each))
        or (recursive and in_subtree(store, each, domain.id))
        for each in row.domain_ids
    ):
        return False
    if visibility.may(store, caller, row, operate=False):
        return True
    own = caller.account.domain_id
    return recursive and caller.is_admin and any(in_subtree(store, each, own) for each in row.domain_ids)
