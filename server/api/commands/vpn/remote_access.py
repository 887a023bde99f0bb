"""Remote access VPN: networks and VPCs that users dial in to, and the users."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.model import Network, PublicIp, RemoteAccessVpn, VpnUser
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.ownership import NamedAccount, Owner, check_named
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import View, owner

GROUP = "VPN"
Address = Annotated[PublicIp, Param("the public address that is dialled", access="operate")]


class RemoteAccessVpnView(View):
    """A network or VPC that users dial in to."""

    entity: ClassVar = RemoteAccessVpn
    key: ClassVar = "remoteaccessvpn"

    id: str | None = None
    publicipid: str | None = None
    publicip: str | None = None
    iprange: Annotated[str | None, "the addresses that clients get"] = None
    presharedkey: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    state: str | None = None
    fordisplay: bool | None = None

    @classmethod
    def of(cls, row: RemoteAccessVpn, call: Call) -> Self:
        ip = call.store.table(PublicIp).get(row.public_ip_id)
        return cls(
            id=row.id,
            publicipid=row.public_ip_id,
            publicip=ip.ip if ip else None,
            iprange=row.ip_range,
            presharedkey=row.preshared_key,
            state=row.state,
            fordisplay=row.display,
            **owner(call, row.account_id),
        )


@command("listRemoteAccessVpns", view=RemoteAccessVpnView, group=GROUP)
async def list_remote_access_vpns(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Annotated[RemoteAccessVpn | None, Param(since="4.3")] = None,
    publicipid: PublicIp | None = None,
    networkid: Network | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
) -> Listed:
    """Lists remote access VPNs."""
    return listed(
        call,
        RemoteAccessVpn,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "public_ip_id": publicipid and publicipid.id,
            "network_id": networkid and networkid.id,
            "display": fordisplay,
        },
        search=("id",),
    )


@command(
    "createRemoteAccessVpn",
    view=RemoteAccessVpnView,
    job=True,
    creates=RemoteAccessVpn,
    event="VPN.REMOTE.ACCESS.CREATE",
    group=GROUP,
)
async def create_remote_access_vpn(
    call: Call,
    *,
    publicipid: Address,
    named: NamedAccount,
    iprange: Annotated[str | None, Param("first-last; the first is the router's own")] = None,
    openfirewall: Annotated[
        bool | None, Param("whether the firewall lets clients in; so by default where there is one")
    ] = None,
    fordisplay: Annotated[bool, Param(since="4.4")] = True,
) -> Job:
    """Lets users dial in to a network or VPC."""
    vpns = call.manager.remote_access
    check_named(named, publicipid.account_id, f"address {publicipid.ip}")
    row = vpns.create(publicipid, ip_range=iprange, open_firewall=openfirewall, display=fordisplay)
    return Job(lambda: vpns.apply(row.id), row)


@command(
    "updateRemoteAccessVpn",
    view=RemoteAccessVpnView,
    job=True,
    event="VPN.REMOTE.ACCESS.UPDATE",
    since="4.4",
    group=GROUP,
)
async def update_remote_access_vpn(
    call: Call, *, id: RemoteAccessVpn, fordisplay: Annotated[bool | None, Param(since="4.4")] = None
) -> Job:
    """Changes whether a remote access VPN is shown."""

    async def work() -> RemoteAccessVpn:
        changed: RemoteAccessVpn = call.manager.remote_access.update(id.id, display=fordisplay)
        return changed

    return Job(work, id)


@command("deleteRemoteAccessVpn", job=True, event="VPN.REMOTE.ACCESS.DESTROY", group=GROUP)
async def delete_remote_access_vpn(call: Call, *, publicipid: Address) -> Job:
    """Lets nobody dial in to a network or VPC any more."""
    vpns = call.manager.remote_access
    row: RemoteAccessVpn = vpns.on_address(publicipid)
    return Job(lambda: vpns.delete(row.id), row)


class VpnUserView(View):
    """Who may dial in to an account's networks."""

    entity: ClassVar = VpnUser
    key: ClassVar = "vpnuser"

    id: str | None = None
    username: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    projectid: str | None = None
    project: str | None = None
    state: str | None = None

    @classmethod
    def of(cls, row: VpnUser, call: Call) -> Self:
        return cls(id=row.id, username=row.name, state=row.state, **owner(call, row.account_id))


@command("listVpnUsers", view=VpnUserView, group=GROUP)
async def list_vpn_users(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: VpnUser | None = None,
    username: str | None = None,
) -> Listed:
    """Lists VPN users."""
    return listed(
        call,
        VpnUser,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"name": username},
    )


@command("addVpnUser", view=VpnUserView, job=True, creates=VpnUser, event="VPN.USER.ADD", group=GROUP)
async def add_vpn_user(call: Call, *, owner: Owner, username: str, password: str) -> Job:
    """Lets a user dial in to an account's networks."""
    vpns = call.manager.remote_access
    row = vpns.create_user(owner, username, password)
    return Job(lambda: vpns.apply_user(row.id), row)


@command("removeVpnUser", job=True, event="VPN.USER.REMOVE", group=GROUP)
async def remove_vpn_user(call: Call, *, owner: Owner, username: str) -> Job:
    """Lets a user dial in no more."""
    vpns = call.manager.remote_access
    row: VpnUser = vpns.user_named(owner, username)
    return Job(lambda: vpns.delete_user(row.id), row)
