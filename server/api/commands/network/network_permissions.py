"""Networks of an account that other accounts may use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Account, Domain, Network, Project
from server.api.command import Call, Listed, command
from server.api.listing import Paging, page_of
from server.api.ownership import account_named
from server.api.parameters import Param
from server.api.views import View, domain_fields

GROUP = "Network"
OwnNetwork = Annotated[Network, Param(access="operate")]


class Permission(NamedTuple):
    """A network, and an account that it is shared with."""

    network: Network
    account: Account


class NetworkPermissionView(View):
    """An account that may use a network of another one."""

    entity: ClassVar[Any] = None
    key: ClassVar = "networkpermission"

    networkid: str | None = None
    domainid: str | None = None
    domain: str | None = None
    accountid: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None

    @classmethod
    def of(cls, row: Permission, call: Call) -> Self:
        account = row.account
        where = domain_fields(call, account.domain_id)
        view = cls(networkid=row.network.id, domainid=where.get("domainid"), domain=where.get("domain"))
        if account.project_id is None:
            view.accountid, view.account = account.id, account.name
        else:
            project = call.store.table(Project).get(account.project_id)
            view.projectid, view.project = account.project_id, project.name if project is not None else None
        return view


def _accounts(
    call: Call,
    network: Network,
    names: Sequence[str] | None,
    accounts: Sequence[Account] | None,
    projects: Sequence[Project] | None,
) -> list[Account]:
    if not names and not accounts and not projects:
        raise InvalidParameterValue("One of accounts, accountids and projectids must be given")
    domain = call.store.table(Domain)[network.domain_id]
    table = call.store.table(Account)
    found = [account_named(call.store, name, domain) for name in names or ()]
    found += accounts or ()
    found += [table[project.account_id] for project in projects or ()]
    return found


Names = Annotated[Sequence[str] | None, Param("names of accounts in the network's domain")]
Accounts = Annotated[Sequence[Account] | None, Param(access="any")]
Projects = Annotated[Sequence[Project] | None, Param("projects that the caller may use", access="use")]


@command("createNetworkPermissions", event="NETWORK.PERMISSION.UPDATE", since="4.17.0", group=GROUP)
async def create_network_permissions(
    call: Call,
    *,
    networkid: OwnNetwork,
    accounts: Names = None,
    accountids: Accounts = None,
    projectids: Projects = None,
) -> None:
    """Lets other accounts use a network too."""
    wanted = _accounts(call, networkid, accounts, accountids, projectids)
    call.manager.network_permissions.create(networkid, wanted)


@command("removeNetworkPermissions", event="NETWORK.PERMISSION.UPDATE", since="4.17.0", group=GROUP)
async def remove_network_permissions(
    call: Call,
    *,
    networkid: OwnNetwork,
    accounts: Names = None,
    accountids: Accounts = None,
    projectids: Projects = None,
) -> None:
    """Lets accounts use a network no longer. Their instances that are on it stay there."""
    unwanted = _accounts(call, networkid, accounts, accountids, projectids)
    call.manager.network_permissions.remove(networkid, unwanted)


@command("resetNetworkPermissions", event="NETWORK.PERMISSION.UPDATE", since="4.17.0", group=GROUP)
async def reset_network_permissions(call: Call, *, networkid: OwnNetwork) -> None:
    """Lets nobody but its owner use a network."""
    call.manager.network_permissions.check_shareable(networkid)
    call.manager.network_permissions.reset(networkid)


@command("listNetworkPermissions", view=NetworkPermissionView, since="4.17.0", group=GROUP)
async def list_network_permissions(call: Call, *, networkid: OwnNetwork) -> Listed:
    """Lists the accounts that may use a network beside its owner."""
    accounts = call.manager.network_permissions.of(networkid)
    return page_of([Permission(networkid, account) for account in accounts], Paging())
