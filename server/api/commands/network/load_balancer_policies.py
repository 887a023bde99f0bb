"""Stickiness and health check policies of load balancer rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.model import HealthCheckPolicy, LoadBalancerRule, Network, StickinessPolicy
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param, one_of
from server.api.views import View, owner

GROUP = "LoadBalancer"
Rule = Annotated[LoadBalancerRule, Param(access="operate")]
OptionalRule = Annotated[LoadBalancerRule | None, Param(access="operate")]


def _rule_fields(row: LoadBalancerRule, call: Call) -> dict[str, Any]:
    network = call.store.table(Network).get(row.network_id)
    fields: dict[str, Any] = {"lbruleid": row.id, "zoneid": network.zone_id if network is not None else None}
    owned = owner(call, row.account_id)
    return fields | {name: owned[name] for name in ("account", "domainid", "domain") if name in owned}


class StickinessView(View):
    """How a client stays with an instance."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    methodname: Annotated[str | None, "LbCookie, AppCookie or SourceBased"] = None
    params: dict[str, str] | None = None
    state: str | None = None
    fordisplay: bool | None = None


class StickinessPoliciesView(View):
    """The stickiness policies of a load balancer rule: none or one."""

    entity: ClassVar = StickinessPolicy
    key: ClassVar = "stickinesspolicies"

    lbruleid: str | None = None
    name: str | None = None
    description: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    state: str | None = None
    stickinesspolicy: list[StickinessView] | None = None

    @classmethod
    def of(cls, row: StickinessPolicy, call: Call) -> Self:
        rule = call.store.table(LoadBalancerRule)[row.rule_id]
        return cls.of_rule(rule, row, call)

    @classmethod
    def of_rule(cls, rule: LoadBalancerRule, policy: StickinessPolicy | None, call: Call) -> Self:
        view = cls(stickinesspolicy=[], **_rule_fields(rule, call))
        if policy is not None:
            view.name, view.description, view.state = policy.name, policy.description, "Active"
            view.stickinesspolicy = [
                StickinessView(
                    id=policy.id,
                    name=policy.name,
                    description=policy.description,
                    methodname=policy.method,
                    params=policy.parameters,
                    state="Active",
                    fordisplay=policy.display,
                )
            ]
        return view


class HealthCheckView(View):
    """How a load balancer finds out which instances answer."""

    id: str | None = None
    description: str | None = None
    pingpath: str | None = None
    responsetime: Annotated[int | None, "seconds"] = None
    healthcheckinterval: Annotated[int | None, "seconds"] = None
    healthcheckthresshold: Annotated[int | None, "successes in a row until an instance is healthy"] = None
    unhealthcheckthresshold: Annotated[int | None, "failures in a row until it is not"] = None
    state: str | None = None
    fordisplay: bool | None = None


class HealthCheckPoliciesView(View):
    """The health check policies of a load balancer rule: none or one."""

    entity: ClassVar = HealthCheckPolicy
    key: ClassVar = "healthcheckpolicies"

    lbruleid: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    healthcheckpolicy: list[HealthCheckView] | None = None

    @classmethod
    def of(cls, row: HealthCheckPolicy, call: Call) -> Self:
        rule = call.store.table(LoadBalancerRule)[row.rule_id]
        return cls.of_rule(rule, row, call)

    @classmethod
    def of_rule(cls, rule: LoadBalancerRule, policy: HealthCheckPolicy | None, call: Call) -> Self:
        view = cls(healthcheckpolicy=[], **_rule_fields(rule, call))
        if policy is not None:
            view.healthcheckpolicy = [
                HealthCheckView(
                    id=policy.id,
                    description=policy.description,
                    pingpath=policy.path,
                    responsetime=policy.response_timeout,
                    healthcheckinterval=policy.interval,
                    healthcheckthresshold=policy.healthy_threshold,
                    unhealthcheckthresshold=policy.unhealthy_threshold,
                    state="Active",
                    fordisplay=policy.display,
                )
            ]
        return view


# stickiness


@command(
    "createLBStickinessPolicy",
    view=StickinessPoliciesView,
    job=True,
    creates=StickinessPolicy,
    event="LB.STICKINESSPOLICY.CREATE",
    since="3.0.0",
    group=GROUP,
)
async def create_stickiness_policy(
    call: Call,
    *,
    lbruleid: Rule,
    name: str,
    methodname: Annotated[str, one_of("LbCookie", "AppCookie", "SourceBased")],
    param: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("parameters of the method: param[0].name=cookie-name&param[0].value=.."),
    ] = None,
    description: str | None = None,
    fordisplay: bool = True,
) -> Job:
    """Has a load balancer rule keep each client with one instance. It takes the place of the rule's policy."""
    policies = call.manager.rules.policies
    parameters: dict[str, str] = {}
    for entry in param or ():
        if "name" in entry:
            parameters[entry["name"]] = entry.get("value", "")
        else:
            parameters |= entry
    policy = policies.sticky(
        lbruleid,
        name=name,
        method=methodname,
        parameters=parameters,
        description=description or "",
        display=fordisplay,
    )
    return Job(lambda: policies.put(policy), policy, queue=lbruleid.id)


@command(
    "updateLBStickinessPolicy",
    view=StickinessPoliciesView,
    job=True,
    event="LB.STICKINESSPOLICY.UPDATE",
    since="4.4",
    group=GROUP,
)
async def update_stickiness_policy(
    call: Call, *, id: StickinessPolicy, fordisplay: bool | None = None
) -> Job:
    """Changes whether a stickiness policy is shown."""
    return _shown(call, id, fordisplay)


@command("deleteLBStickinessPolicy", job=True, event="LB.STICKINESSPOLICY.DELETE", since="3.0.0", group=GROUP)
async def delete_stickiness_policy(call: Call, *, id: StickinessPolicy) -> Job:
    """Deletes a stickiness policy."""
    return Job(lambda: call.manager.rules.policies.remove(id), id, queue=id.rule_id)


@command("listLBStickinessPolicies", view=StickinessPoliciesView, since="3.0.0", group=GROUP)
async def list_stickiness_policies(
    call: Call,
    *,
    page: Page,
    lbruleid: OptionalRule = None,
    id: Annotated[StickinessPolicy | None, Param(access="operate")] = None,
    fordisplay: bool | None = None,
) -> Listed:
    """Lists the stickiness policies of a load balancer rule."""
    rule = _rule(call, lbruleid, id, "stickiness")
    policy = call.store.table(StickinessPolicy).find("rule_id", rule.id)
    if policy is not None and fordisplay not in (None, policy.display):
        policy = None
    return page_of([StickinessPoliciesView.of_rule(rule, policy, call)], page, search=())


# health checks


@command(
    "createLBHealthCheckPolicy",
    view=HealthCheckPoliciesView,
    job=True,
    creates=HealthCheckPolicy,
    event="LB.HEALTHCHECKPOLICY.CREATE",
    since="4.2.0",
    group=GROUP,
)
async def create_health_check_policy(
    call: Call,
    *,
    lbruleid: Rule,
    pingpath: Annotated[str | None, Param("what is asked of instances by HTTP")] = None,
    responsetimeout: Annotated[int | None, Param("seconds, 2 to 60")] = None,
    intervaltime: Annotated[int | None, Param("seconds between checks, 1 to 20940")] = None,
    healthythreshold: Annotated[
        int | None, Param("successes in a row until an instance is healthy, 1 to 10")
    ] = None,
    unhealthythreshold: Annotated[int | None, Param("failures in a row until it is not, 1 to 10")] = None,
    description: str | None = None,
    fordisplay: bool = True,
) -> Job:
    """Has a load balancer rule ask its instances whether they work. It takes the place of the rule's policy."""
    policies = call.manager.rules.policies
    policy = policies.health_check(
        lbruleid,
        path=pingpath,
        response_timeout=responsetimeout,
        interval=intervaltime,
        healthy_threshold=healthythreshold,
        unhealthy_threshold=unhealthythreshold,
        description=description or "",
        display=fordisplay,
    )
    return Job(lambda: policies.put(policy), policy, queue=lbruleid.id)


@command(
    "updateLBHealthCheckPolicy",
    view=HealthCheckPoliciesView,
    job=True,
    event="LB.HEALTHCHECKPOLICY.UPDATE",
    since="4.4",
    group=GROUP,
)
async def update_health_check_policy(
    call: Call, *, id: HealthCheckPolicy, fordisplay: bool | None = None
) -> Job:
    """Changes whether a health check policy is shown."""
    return _shown(call, id, fordisplay)


@command(
    "deleteLBHealthCheckPolicy", job=True, event="LB.HEALTHCHECKPOLICY.DELETE", since="4.2.0", group=GROUP
)
async def delete_health_check_policy(call: Call, *, id: HealthCheckPolicy) -> Job:
    """Deletes a health check policy."""
    return Job(lambda: call.manager.rules.policies.remove(id), id, queue=id.rule_id)


@command("listLBHealthCheckPolicies", view=HealthCheckPoliciesView, since="4.2.0", group=GROUP)
async def list_health_check_policies(
    call: Call,
    *,
    page: Page,
    lbruleid: OptionalRule = None,
    id: Annotated[HealthCheckPolicy | None, Param(access="operate", since="4.4")] = None,
    fordisplay: bool | None = None,
) -> Listed:
    """Lists the health check policies of a load balancer rule."""
    rule = _rule(call, lbruleid, id, "health check")
    policy = call.store.table(HealthCheckPolicy).find("rule_id", rule.id)
    if policy is not None and fordisplay not in (None, policy.display):
        policy = None
    return page_of([HealthCheckPoliciesView.of_rule(rule, policy, call)], page, search=())


def _shown(call: Call, policy: StickinessPolicy | HealthCheckPolicy, display: bool | None) -> Job:
    async def work() -> Any:
        return call.manager.rules.policies.show(policy, display)

    return Job(work, policy, queue=policy.rule_id)


def _rule(
    call: Call,
    rule: LoadBalancerRule | None,
    policy: StickinessPolicy | HealthCheckPolicy | None,
    kind: str,
) -> LoadBalancerRule:
    if policy is not None:
        found = call.store.table(LoadBalancerRule)[policy.rule_id]
        if rule is not None and rule.id != found.id:
            raise InvalidParameterValue(f"{policy.id} is no {kind} policy of load balancer rule {rule.name}")
        visibility.check(call.store, call.caller, found)
        return found
    if rule is None:
        raise InvalidParameterValue(f"load balancer rule ID and {kind} policy ID can't be both null")
    return rule
