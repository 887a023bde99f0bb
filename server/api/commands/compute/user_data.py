"""Registered user data."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.user_data import MAX_BYTES
from cloudsim.model import UserData
from server.api.command import Call, Listed, command
from server.api.listing import Page, listed
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import View, owner

GROUP = "User"


class UserDataView(View):
    """User data under a name."""

    entity: ClassVar = UserData
    key: ClassVar = "userdata"

    id: str | None = None
    name: str | None = None
    accountid: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    userdata: Annotated[str | None, "base64"] = None
    params: Annotated[str | None, "the variables in it, comma separated"] = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: UserData, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            accountid=row.account_id,
            userdata=row.user_data,
            params=row.params,
            **owner(call, row.account_id),
        )


@command("registerUserData", view=UserDataView, event="REGISTER.USER.DATA", since="4.18", group=GROUP)
async def register_user_data(
    call: Call,
    *,
    owner: Owner,
    name: str,
    userdata: Annotated[str, Param("base64", length=MAX_BYTES)],
    params: Annotated[str | None, Param("the variables in it, comma separated")] = None,
) -> UserData:
    """Registers user data, to be given to instances."""
    registered: UserData = call.manager.user_data.register(owner, name, userdata, params)
    return registered


@command("listUserData", view=UserDataView, since="4.18", group=GROUP)
async def list_user_data(
    call: Call, *, page: Page, scope: Scope, id: UserData | None = None, name: str | None = None
) -> Listed:
    """Lists registered user data."""
    return listed(
        call, UserData, page=page, scope=scope, ids=None if id is None else [id], equal={"name": name}
    )


@command("deleteUserData", event="DELETE.USER.DATA", since="4.18", group=GROUP)
async def delete_user_data(call: Call, *, owner: Owner, id: UserData) -> None:
    """Forgets registered user data that nothing uses; an owner that is named must be its own."""
    if any(call.fields.get(name) for name in ("account", "projectid")) and id.account_id != owner.id:
        raise InvalidParameterValue(f"User data {id.name} is not of {owner.name}")
    call.manager.user_data.delete(id)
