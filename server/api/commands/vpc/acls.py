"""Access control lists, of VPCs and global, and the rules in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.vpc.acl_rules import AclRuleRequest
from cloudsim.management.vpc.acls import check_may_change
from cloudsim.model import Network, NetworkAcl, NetworkAclList, PrivateGateway, Vpc
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, Tags, listed
from server.api.parameters import Param, one_of
from server.api.scope import Ownership, Scope
from server.api.views import TagView, View, tags

GROUP = "NetworkACL"


class NetworkAclListView(View):
    """An ordered list of access control rules."""

    entity: ClassVar = NetworkAclList
    key: ClassVar = "networkacllist"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    fordisplay: bool | None = None

    @classmethod
    def of(cls, row: NetworkAclList, call: Call) -> Self:
        vpc = call.store.table(Vpc).get(row.vpc_id)
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            vpcid=row.vpc_id,
            vpcname=vpc.name if vpc else None,
            fordisplay=row.display,
        )


class NetworkAclView(View):
    """A rule of an access control list."""

    entity: ClassVar = NetworkAcl
    key: ClassVar = "networkacl"

    id: str | None = None
    protocol: str | None = None
    startport: str | None = None
    endport: str | None = None
    traffictype: Annotated[str | None, "Ingress or Egress"] = None
    state: str | None = None
    cidrlist: str | None = None
    icmptype: int | None = None
    icmpcode: int | None = None
    aclid: str | None = None
    aclname: str | None = None
    number: Annotated[int | None, "its place: the first rule that matches decides"] = None
    action: Annotated[str | None, "Allow or Deny"] = None
    fordisplay: bool | None = None
    reason: str | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: NetworkAcl, call: Call) -> Self:
        acl = call.store.table(NetworkAclList).get(row.list_id)
        return cls(
            id=row.id,
            protocol=row.protocol,
            startport=None if row.start_port is None else str(row.start_port),
            endport=None if row.end_port is None else str(row.end_port),
            traffictype=row.traffic_type,
            state=row.state,
            cidrlist=",".join(row.cidrs),
            icmptype=row.icmp_type,
            icmpcode=row.icmp_code,
            aclid=row.list_id,
            aclname=acl.name if acl else None,
            number=row.number,
            action=row.action,
            fordisplay=row.display,
            reason=row.reason,
            tags=tags(call, row.id),
        )


def _shown(call: Call, scope: Ownership, acl: NetworkAclList | None) -> bool:
    """Whether a list is one that the call means: of a VPC of those accounts, or of none."""
    if acl is None:
        return False
    if acl.vpc_id is None:
        return True
    vpc = call.store.table(Vpc).get(acl.vpc_id)
    return vpc is not None and scope.owns(vpc.account_id)


# lists


@command("listNetworkACLLists", view=NetworkAclListView, group=GROUP)
async def list_network_acl_lists(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: NetworkAclList | None = None,
    networkid: Annotated[Network | None, Param("the list of that tier")] = None,
    vpcid: Annotated[Vpc | None, Param("lists of that VPC")] = None,
    name: str | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
) -> Listed:
    """Lists network ACL lists: those of VPCs, global ones and the default ones."""
    for named in (id, networkid, vpcid):
        if named is not None:
            visibility.check(call.store, call.caller, named, operate=False)
    rows = None if id is None else [id]
    if networkid is not None:
        found = call.store.table(NetworkAclList).get(networkid.acl_id)
        rows = [found] if found is not None and (id is None or id == found) else []

    def keep(row: NetworkAclList) -> bool:
        return id is not None or networkid is not None or vpcid is not None or _shown(call, scope, row)

    return listed(
        call,
        NetworkAclList,
        page=page,
        ids=rows,
        equal={"vpc_id": vpcid and vpcid.id, "name": name, "display": fordisplay},
        keep=keep,
        search=("name", "description"),
    )


@command(
    "createNetworkACLList",
    view=NetworkAclListView,
    job=True,
    creates=NetworkAclList,
    event="NETWORK.ACL.CREATE",
    group=GROUP,
)
async def create_network_acl_list(
    call: Call,
    *,
    name: str,
    description: str | None = None,
    vpcid: Annotated[Vpc | None, Param("its VPC; a global list, the root admin's, if left out")] = None,
    fordisplay: Annotated[bool, Param(since="4.4")] = True,
) -> Job:
    """Creates a network ACL list of a VPC, or a global one that tiers of any VPC can have."""
    if vpcid is None:
        check_may_change(call.caller, None, "Only Root Admin can create global ACLs.")
    row = call.manager.network_acls.create_list(
        vpcid, name=name, description=description, display=fordisplay
    )

    async def work() -> NetworkAclList:
        return call.store.table(NetworkAclList)[row.id]

    return Job(work, row)


@command("updateNetworkACLList", job=True, event="NETWORK.ACL.UPDATE", since="4.4", group=GROUP)
async def update_network_acl_list(
    call: Call,
    *,
    id: NetworkAclList,
    name: str | None = None,
    description: str | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
) -> Job:
    """Changes a network ACL list's name and description."""
    check_may_change(call.caller, id, "Only Root Admin can update global ACLs.")
    changes = call.manager.network_acls.check_update_list(
        id, name=name, description=description, display=fordisplay
    )

    async def work() -> None:
        call.manager.network_acls.update_list(id.id, changes)

    return Job(work, id)


@command("deleteNetworkACLList", job=True, event="NETWORK.ACL.DELETE", group=GROUP)
async def delete_network_acl_list(call: Call, *, id: NetworkAclList) -> Job:
    """Deletes a network ACL list that no tier has, with its rules."""
    check_may_change(call.caller, id, "Only Root Admin can delete global ACLs.")
    call.manager.network_acls.check_deletable(id)

    async def work() -> None:
        call.manager.network_acls.delete_list(id.id)

    return Job(work, id)


@command("replaceNetworkACLList", job=True, event="NETWORK.ACL.REPLACE", group=GROUP)
async def replace_network_acl_list(
    call: Call,
    *,
    aclid: NetworkAclList,
    networkid: Annotated[Network | None, Param("the tier", access="operate")] = None,
    gatewayid: Annotated[PrivateGateway | None, Param("the private gateway", access="operate")] = None,
) -> Job:
    """Gives a tier or a private gateway another network ACL list."""
    acls = call.manager.network_acls
    acls.check_replace(aclid, networkid, gatewayid)
    row = networkid or gatewayid
    assert row is not None
    return Job(lambda: acls.replace(aclid.id, row), row)


# rules


@command("listNetworkACLs", view=NetworkAclView, group=GROUP)
async def list_network_acls(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: NetworkAcl | None = None,
    networkid: Annotated[Network | None, Param("rules of that tier's list")] = None,
    aclid: Annotated[NetworkAclList | None, Param("rules of that list")] = None,
    traffictype: Annotated[str | None, one_of("Ingress", "Egress")] = None,
    protocol: str | None = None,
    action: Annotated[str | None, one_of("Allow", "Deny")] = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists network ACL rules, those of a list in their order."""
    for named in (id, networkid, aclid):
        if named is not None:
            visibility.check(call.store, call.caller, named, operate=False)
    lists = call.store.table(NetworkAclList)
    list_id = aclid.id if aclid is not None else None
    if networkid is not None:
        if networkid.acl_id is None or list_id not in (None, networkid.acl_id):
            return Listed([], 0)
        list_id = networkid.acl_id
    by_name = id is not None or list_id is not None

    def keep(row: NetworkAcl) -> bool:
        return (
            (list_id is None or row.list_id == list_id)
            and (traffictype is None or row.traffic_type.lower() == traffictype.lower())
            and (protocol is None or row.protocol == protocol.lower())
            and (action is None or row.action.lower() == action.lower())
            and (by_name or _shown(call, scope, lists.get(row.list_id)))
        )

    rows = [id] if id is not None else None
    if rows is None and list_id is not None:
        rows = call.manager.network_acls.rules_of(list_id)
    return listed(
        call,
        NetworkAcl,
        page=page,
        ids=rows,
        equal={"display": fordisplay},
        keep=keep,
        search=("protocol", "reason"),
        tags=tags,
    )


@command(
    "createNetworkACL",
    view=NetworkAclView,
    job=True,
    creates=NetworkAcl,
    event="NETWORK.ACL.ITEM.CREATE",
    group=GROUP,
)
async def create_network_acl(
    call: Call,
    *,
    protocol: Annotated[str, Param("tcp, udp, icmp, all, or an IP protocol number")],
    aclid: Annotated[NetworkAclList | None, Param("the list", access="operate")] = None,
    networkid: Annotated[
        Network | None, Param("the tier, whose own list it goes into", access="operate")
    ] = None,
    startport: int | None = None,
    endport: int | None = None,
    icmptype: Annotated[int | None, Param("-1 for any")] = None,
    icmpcode: Annotated[int | None, Param("-1 for any")] = None,
    cidrlist: Annotated[Sequence[str] | None, Param("where from, or where to; anywhere if left out")] = None,
    traffictype: Annotated[str | None, Param("Ingress (the default) or Egress", values=("Ingress", "Egress"))] = None,
    number: Annotated[int | None, Param("its place; after the last if left out")] = None,
    action: Annotated[str | None, Param("Allow (the default) or Deny", values=("Allow", "Deny"))] = None,
    reason: str | None = None,
    fordisplay: Annotated[bool, Param(since="4.4")] = True,
) -> Job:
    """Creates a rule of a network ACL list."""
    acls = call.manager.network_acls
    changed = aclid
    if changed is None and networkid is not None:
        changed = call.store.table(NetworkAclList).get(networkid.acl_id)
    if changed is not None:
        check_may_change(call.caller, changed, "Only Root Admins can create rules for a global ACL.")
    row = acls.create_rule(
        aclid,
        networkid,
        AclRuleRequest(
            protocol=protocol,
            start_port=startport,
            end_port=endport,
            icmp_type=icmptype,
            icmp_code=icmpcode,
            cidrs=cidrlist,
            traffic_type=traffictype,
            action=action,
            number=number,
            reason=reason,
            display=fordisplay,
        ),
    )
    return Job(lambda: acls.apply(row.id), row)


@command("updateNetworkACLItem", view=NetworkAclView, job=True, event="NETWORK.ACL.ITEM.UPDATE", group=GROUP)
async def update_network_acl_item(
    call: Call,
    *,
    id: NetworkAcl,
    protocol: Annotated[str | None, Param("tcp, udp, icmp, all, or an IP protocol number")] = None,
    startport: int | None = None,
    endport: int | None = None,
    icmptype: int | None = None,
    icmpcode: int | None = None,
    cidrlist: Sequence[str] | None = None,
    traffictype: str | None = None,
    number: int | None = None,
    action: str | None = None,
    reason: str | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
    partialupgrade: Annotated[bool, Param("whether what is left out stays as it is")] = True,
) -> Job:
    """Changes a rule of a network ACL list."""
    acls = call.manager.network_acls
    _check_rule(call, id, "Only Root Admins can update global ACL rules.")
    changes = acls.check_update_rule(
        id,
        AclRuleRequest(
            protocol=protocol,
            start_port=startport,
            end_port=endport,
            icmp_type=icmptype,
            icmp_code=icmpcode,
            cidrs=cidrlist,
            traffic_type=traffictype,
            action=action,
            number=number,
            reason=reason,
            display=fordisplay,
        ),
        partial=partialupgrade,
    )
    return Job(lambda: acls.update_rule(id.id, changes), id, queue=id.list_id)


@command("deleteNetworkACL", job=True, event="NETWORK.ACL.ITEM.DELETE", group=GROUP)
async def delete_network_acl(call: Call, *, id: NetworkAcl) -> Job:
    """Deletes a rule of a network ACL list."""
    acls = call.manager.network_acls
    _check_rule(call, id, "Only Root Admin can delete global ACL rules.")
    acls.check_rule_deletable(id)
    return Job(lambda: acls.delete_rule(id.id), id)


@command("moveNetworkAclItem", view=NetworkAclView, job=True, event="NETWORK.ACL.ITEM.UPDATE", group=GROUP)
async def move_network_acl_item(
    call: Call,
    *,
    id: Annotated[str, Param("the rule")],
    previousaclruleid: Annotated[str | None, Param("the rule that it is to come right after")] = None,
    nextaclruleid: Annotated[str | None, Param("the rule that it is to come right before")] = None,
    aclconsistencyhash: Annotated[
        str | None, Param("MD5 sum of the ids of the list's rules in their order, as the caller knows it")
    ] = None,
) -> Job:
    """Moves a rule of a network ACL list to another place in it."""
    rule = _rule(call, "id", id)
    assert rule is not None
    _check_rule(call, rule, "Only Root Admins can update global ACL rules.")
    previous = _rule(call, "previousaclruleid", previousaclruleid)
    following = _rule(call, "nextaclruleid", nextaclruleid)
    acls = call.manager.network_acls
    acls.check_move(rule, previous, following, aclconsistencyhash)
    return Job(
        lambda: acls.move(rule.id, previous and previous.id, following and following.id),
        rule,
        queue=rule.list_id,
    )


def _check_rule(call: Call, rule: NetworkAcl, refusal: str) -> None:
    check_may_change(call.caller, call.store.table(NetworkAclList)[rule.list_id], refusal)


def _rule(call: Call, parameter: str, row_id: str | None) -> NetworkAcl | None:
    if not row_id:
        return None
    row = call.resolve(NetworkAcl, row_id.strip(), "operate")
    if row is None:
        raise InvalidParameterValue(f"There is no network ACL rule of id {row_id}, given as {parameter}")
    return row
