"""Public addresses in quarantine: given back, and not yet for other accounts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.model import Account, QuarantinedIp
from server.api.command import ADMINS, Call, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.views import Date, View, date

GROUP = "Address"
ByAddress = Annotated[str | None, Param("the address itself, in place of the quarantine's id")]


class QuarantinedIpView(View):
    """A public address that waits, or has waited, for other accounts than its previous owner."""

    entity: ClassVar[Any] = QuarantinedIp
    key: ClassVar = "quarantinedip"

    id: str | None = None
    ipaddress: str | None = None
    previousownerid: str | None = None
    previousownername: str | None = None
    created: Date | None = None
    enddate: Annotated[Date | None, "when other accounts can have it"] = None
    removed: Annotated[Date | None, "when it was ended before that"] = None
    removalreason: str | None = None
    removeraccountid: str | None = None

    @classmethod
    def of(cls, row: QuarantinedIp, call: Call) -> Self:
        owner = call.store.table(Account).get(row.previous_owner_id)
        return cls(
            id=row.id,
            ipaddress=row.ip,
            previousownerid=row.previous_owner_id,
            previousownername=owner.name if owner is not None else None,
            created=date(row.created),
            enddate=date(row.until),
            removed=date(row.removed),
            removalreason=row.removal_reason,
            removeraccountid=row.remover_id,
        )


def _meant(call: Call, row: QuarantinedIp | None, address: str | None) -> QuarantinedIp:
    """The quarantine by its id, or the one that the address is in."""
    if row is not None:
        return row
    if not address:
        raise InvalidParameterValue("Parameter id or ipaddress must be given")
    quarantine = call.manager.public_ips.quarantine
    found = [each for each in call.store.table(QuarantinedIp).where("ip", address) if quarantine.is_active(each)]
    if len(found) != 1:
        raise InvalidParameterValue(
            f"ipaddress {address} is not in quarantine" if not found else f"ipaddress {address} is in several: give an id"
        )
    visibility.check(call.store, call.caller, found[0])
    return found[0]


@command("listQuarantinedIps", view=QuarantinedIpView, since="4.19", group=GROUP)
async def list_quarantined_ips(
    call: Call,
    *,
    page: Page,
    showremoved: Annotated[bool, Param("also those that were ended before their time")] = False,
    showinactive: Annotated[bool, Param("also those whose time is over")] = False,
) -> Listed:
    """Lists public addresses in quarantine that the caller, or an account of its domain, has given back."""
    now = call.manager.foundation.now()

    def keep(row: QuarantinedIp) -> bool:
        return (
            visibility.may(call.store, call.caller, row, operate=False)
            and (showremoved or row.removed is None)
            and (showinactive or row.removed is not None or row.until > now)
        )

    return listed(call, QuarantinedIp, page=page, keep=keep, search=("ip",))


@command("updateQuarantinedIp", view=QuarantinedIpView, roles=ADMINS, since="4.19", group=GROUP)
async def update_quarantined_ip(
    call: Call,
    *,
    id: QuarantinedIp | None = None,
    ipaddress: ByAddress = None,
    enddate: Annotated[DateParameter, Param("when other accounts can have it")],
) -> QuarantinedIp:
    """Changes when the quarantine of a public address ends."""
    row: QuarantinedIp = call.manager.public_ips.quarantine.extend(_meant(call, id, ipaddress), enddate)
    return row


@command("removeQuarantinedIp", view=QuarantinedIpView, roles=ADMINS, since="4.19", group=GROUP)
async def remove_quarantined_ip(
    call: Call,
    *,
    id: QuarantinedIp | None = None,
    ipaddress: ByAddress = None,
    removalreason: str,
) -> QuarantinedIp:
    """Ends the quarantine of a public address."""
    quarantine = call.manager.public_ips.quarantine
    row: QuarantinedIp = quarantine.remove(_meant(call, id, ipaddress), removalreason, call.caller.account)
    return row
