"""Security groups and their rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from msgspec.structs import replace

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.network.security_groups import RuleRequest
from cloudsim.model import Account, Domain, SecurityGroup, SecurityGroupRule, VirtualMachine
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, Tags, listed
from server.api.ownership import Owner, account_named
from server.api.parameters import Param, parameter
from server.api.scope import Scope
from server.api.views import TagView, View, owner, tags

GROUP = "Security Group"

OwnGroup = Annotated[SecurityGroup | None, Param(access="operate")]


class SecurityGroupRuleView(View):
    """Traffic that a security group allows."""

    entity: ClassVar = SecurityGroupRule
    key: ClassVar = "securitygrouprule"

    ruleid: str | None = None
    protocol: str | None = None
    startport: int | None = None
    endport: int | None = None
    icmptype: Annotated[int | None, "-1: any"] = None
    icmpcode: Annotated[int | None, "-1: any"] = None
    cidr: str | None = None
    securitygroupname: Annotated[str | None, "whose members, in place of a CIDR"] = None
    account: Annotated[str | None, "the account of that group"] = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: SecurityGroupRule, call: Call) -> Self:
        view = cls(
            ruleid=row.id,
            protocol=row.protocol,
            startport=row.start_port,
            endport=row.end_port,
            icmptype=row.icmp_type,
            icmpcode=row.icmp_code,
            cidr=row.cidr,
            tags=tags(call, row.id),
        )
        other = call.store.table(SecurityGroup).get(row.other_group_id)
        if other is not None:
            account = call.store.table(Account).get(other.account_id)
            view.securitygroupname, view.account = other.name, account.name if account is not None else None
        return view


class SecurityGroupView(View):
    """A security group."""

    entity: ClassVar = SecurityGroup
    key: ClassVar = "securitygroup"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    ingressrule: list[SecurityGroupRuleView] | None = None
    egressrule: list[SecurityGroupRuleView] | None = None
    virtualmachinecount: int | None = None
    virtualmachineids: Annotated[list[str] | None, "the instances in it"] = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: SecurityGroup, call: Call) -> Self:
        members = list(call.manager.security_members.of(row.id))
        view = cls.with_rules(row, call.manager.security_groups.rules_of(row), call)
        view.virtualmachinecount, view.virtualmachineids = len(members), members
        return view

    @classmethod
    def with_rules(cls, row: SecurityGroup, rules: Sequence[SecurityGroupRule], call: Call) -> Self:
        """The group with only these of its rules."""
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            ingressrule=[SecurityGroupRuleView.of(rule, call) for rule in rules if rule.ingress],
            egressrule=[SecurityGroupRuleView.of(rule, call) for rule in rules if not rule.ingress],
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )


# groups


@command("createSecurityGroup", view=SecurityGroupView, event="SECURITY.GROUP.CREATE", group=GROUP)
async def create_security_group(
    call: Call, *, owner: Owner, name: str, description: str | None = None
) -> SecurityGroup:
    """Creates a security group."""
    made: SecurityGroup = call.manager.security_groups.create(owner, name, description)
    return made


@command(
    "updateSecurityGroup",
    view=SecurityGroupView,
    event="SECURITY.GROUP.UPDATE",
    since="4.14.0.0",
    group=GROUP,
)
async def update_security_group(
    call: Call, *, id: SecurityGroup, name: Annotated[str | None, Param("its new name")] = None
) -> SecurityGroup:
    """Gives a security group another name."""
    changed: SecurityGroup = call.manager.security_groups.rename(id, name)
    return changed


@command("deleteSecurityGroup", event="SECURITY.GROUP.DELETE", group=GROUP)
async def delete_security_group(
    call: Call, *, owner: Owner, id: SecurityGroup | None = None, name: str | None = None
) -> None:
    """Deletes a security group that no instance is in."""
    call.manager.security_groups.delete(_group(call, owner, id, name, "id", "name"))


@command("listSecurityGroups", view=SecurityGroupView, group=GROUP)
async def list_security_groups(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: SecurityGroup | None = None,
    securitygroupname: str | None = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param("the groups that this instance is in")] = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists security groups."""
    if id is None and virtualmachineid is None and scope.owns(call.caller.account.id):
        call.manager.security_groups.default_of(call.caller.account)
    elif id is None and call.fields.get("account"):
        for each in scope.accounts or ():
            call.manager.security_groups.default_of(call.store.table(Account)[each])
    wanted: list[SecurityGroup] | None = None if id is None else [id]
    if virtualmachineid is not None:
        visibility.check(call.store, call.caller, virtualmachineid)
        table, allowed = call.store.table(SecurityGroup), virtualmachineid.security_group_ids
        wanted = [table[each] for each in allowed if each in table and (id is None or id.id == each)]
    return listed(
        call,
        SecurityGroup,
        page=page,
        scope=scope if virtualmachineid is None else None,
        ids=wanted,
        equal={"name": securitygroupname},
        search=("name",),
        tags=tags,
    )


def _group(
    call: Call, owner: Account, row: SecurityGroup | None, name: str | None, by_id: str, by_name: str
) -> SecurityGroup:
    """The group that a call names by its id, or by its owner and name."""
    if (row is None) == (name is None):
        raise InvalidParameterValue(
            f"Either {by_id} or {by_name} is required by {call.command.name} command, and not both"
        )
    if row is not None:
        return row
    found: SecurityGroup = call.manager.security_groups.of_name(owner, name)
    return found


# rules


def _others(
    call: Call, group: SecurityGroup, entries: Sequence[Mapping[str, str]] | None
) -> tuple[SecurityGroup, ...]:
    """The groups that a usersecuritygrouplist names, of accounts in the domain of `group`."""
    found = []
    domain = call.store.table(Domain)[group.domain_id]
    for entry in entries or ():
        if not entry.get("account") or not entry.get("group"):
            raise InvalidParameterValue(
                "Invalid user group specified: each entry of usersecuritygrouplist needs an account and a group"
            )
        account = account_named(call.store, entry["account"], domain)
        found.append(call.manager.security_groups.of_name(account, entry["group"]))
    return tuple(found)


class _RuleParameters:
    """What traffic a rule is for."""

    parameters = (
        parameter("protocol", Annotated[str | None, Param("tcp, udp, icmp or all, which is the default")], None),
        parameter("startport", int | None, None),
        parameter("endport", int | None, None),
        parameter("icmptype", Annotated[int | None, Param("-1: any")], None),
        parameter("icmpcode", Annotated[int | None, Param("-1: any")], None),
        parameter("cidrlist", Annotated[Sequence[str] | None, Param("a rule is made for each")], None),
    )

    def __init__(self, *, ingress: bool) -> None:
        self.ingress = ingress

    def value(self, call: Call, values: Mapping[str, Any]) -> RuleRequest:
        return RuleRequest(
            ingress=self.ingress,
            protocol=values.get("protocol") or None,
            start_port=values.get("startport"),
            end_port=values.get("endport"),
            icmp_type=values.get("icmptype"),
            icmp_code=values.get("icmpcode"),
            cidrs=tuple(values.get("cidrlist") or ()),
        )


Ingress = Annotated[RuleRequest, _RuleParameters(ingress=True)]
Egress = Annotated[RuleRequest, _RuleParameters(ingress=False)]
UserGroups = Annotated[
    Sequence[Mapping[str, str]] | None, Param("groups whose members are meant: account and group of each")
]


def _authorized(
    call: Call, group: SecurityGroup, request: RuleRequest, entries: Sequence[Mapping[str, str]] | None
) -> Job:
    groups = call.manager.security_groups
    wanted = groups.check(replace(request, groups=_others(call, group, entries)))

    async def work() -> SecurityGroupView:
        return SecurityGroupView.with_rules(group, groups.authorize(group, wanted), call)

    return Job(work, group)


def _revoked(call: Call, rule: SecurityGroupRule, *, ingress: bool) -> Job:
    groups = call.manager.security_groups
    groups.check_revocable(rule, ingress=ingress)

    async def work() -> None:
        groups.revoke(rule.id)

    return Job(work, rule, queue=rule.group_id)


@command(
    "authorizeSecurityGroupIngress",
    view=SecurityGroupView,
    job=True,
    event="SECURITY.GROUP.AUTHORIZE.INGRESS",
    group=GROUP,
)
async def authorize_ingress(
    call: Call,
    *,
    owner: Owner,
    rule: Ingress,
    securitygroupid: OwnGroup = None,
    securitygroupname: str | None = None,
    usersecuritygrouplist: UserGroups = None,
) -> Job:
    """Lets traffic in to the instances of a security group. The answer tells the new rules."""
    group = _group(call, owner, securitygroupid, securitygroupname, "securityGroupId", "securityGroupName")
    return _authorized(call, group, rule, usersecuritygrouplist)


@command(
    "authorizeSecurityGroupEgress",
    view=SecurityGroupView,
    job=True,
    event="SECURITY.GROUP.AUTHORIZE.EGRESS",
    since="3.0.0",
    group=GROUP,
)
async def authorize_egress(
    call: Call,
    *,
    owner: Owner,
    rule: Egress,
    securitygroupid: OwnGroup = None,
    securitygroupname: str | None = None,
    usersecuritygrouplist: UserGroups = None,
) -> Job:
    """Lets traffic out of the instances of a security group, and nothing but what its egress rules say from then on."""
    group = _group(call, owner, securitygroupid, securitygroupname, "securityGroupId", "securityGroupName")
    return _authorized(call, group, rule, usersecuritygrouplist)


@command(
    "revokeSecurityGroupIngress", job=True, event="SECURITY.GROUP.REVOKE.INGRESS", group=GROUP
)
async def revoke_ingress(call: Call, *, id: SecurityGroupRule) -> Job:
    """Removes an ingress rule of a security group."""
    return _revoked(call, id, ingress=True)


@command(
    "revokeSecurityGroupEgress", job=True, event="SECURITY.GROUP.REVOKE.EGRESS", since="3.0.0", group=GROUP
)
async def revoke_egress(call: Call, *, id: SecurityGroupRule) -> Job:
    """Removes an egress rule of a security group."""
    return _revoked(call, id, ingress=False)
