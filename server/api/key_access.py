"""Whether a user's API keys are taken: the words for it in parameters and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from cloudsim.errors import PermissionDenied
from server.api.command import Call
from server.api.parameters import Param

KeyAccess = Annotated[
    Literal["Enabled", "Disabled", "Inherit"] | None,
    Param("whether API keys are taken; for root admins", since="4.20.1.0"),
]
_ACCESS = {"Enabled": True, "Disabled": False, "Inherit": None}


def check_access(call: Call, access: str | None) -> None:
    """Raise PermissionDenied for who may not say whether API keys are taken."""
    if access is not None and not call.caller.is_root_admin:
        raise PermissionDenied("Parameter apikeyaccess: only root admins say whether API keys are taken")


def access_meant(access: str) -> bool | None:
    """What a parameter's word means; None: as with what is above."""
    return _ACCESS[access]


def shown_access(access: bool | None) -> str:
    """The word for it in answers."""
    return "INHERIT" if access is None else "ENABLED" if access else "DISABLED"
