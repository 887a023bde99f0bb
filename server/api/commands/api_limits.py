"""How often accounts may call."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from cloudsim.model import Account
from server.api.command import ROOT, Call, command
from server.api.parameters import Param
from server.api.views import Long, View

GROUP = "Limit"


class ApiLimitView(View):
    """How often an account has called, and may still."""

    key: ClassVar = "apilimit"

    accountid: str | None = None
    account: str | None = None
    apiIssued: Annotated[int | None, "calls in the interval that runs"] = None
    apiAllowed: Annotated[int | None, "calls that are left in it"] = None
    expireAfter: Annotated[Long | None, "seconds until the next interval"] = None


@command("getApiLimit", view=ApiLimitView, group=GROUP)
async def get_api_limit(call: Call) -> ApiLimitView:
    """Shows how often the caller's account has called lately, and may still."""
    limits, account = call.door.rate_limits, call.caller.account
    limits.check_enabled()
    issued, left = limits.of(account.id)
    return ApiLimitView(
        accountid=account.id,
        account=account.name,
        apiIssued=issued,
        apiAllowed=max(0, limits.allowed - issued),
        expireAfter=math.ceil(left),
    )


@command("resetApiLimit", roles=ROOT, group=GROUP)
async def reset_api_limit(
    call: Call, *, account: Annotated[Account | None, Param("whose; everybody's if left out")] = None
) -> None:
    """Counts calls anew, for an account or for all."""
    limits = call.door.rate_limits
    limits.check_enabled()
    limits.reset(None if account is None else account.id)
