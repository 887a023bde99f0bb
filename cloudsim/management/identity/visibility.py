"""Who may name a thing in a call: its owner and the admins above operate it, others use what is offered to them.

A row type without a rule of its own goes by its `account_id` and `domain_id` where it has them, and is free to
everyone whose role allows the command where it has not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudsim.errors import PermissionDenied
from cloudsim.management.identity.caller import Caller, in_subtree, may_use
from cloudsim.management.identity.membership import part_in
from cloudsim.model import (
    Account,
    AffinityGroup,
    AsyncJob,
    BackupRepository,
    BackupSchedule,
    Cluster,
    DiskOffering,
    Domain,
    Extension,
    HealthCheckPolicy,
    Host,
    ImageStore,
    LoadBalancerRule,
    Network,
    NetworkAcl,
    NetworkAclList,
    NetworkOffering,
    NetworkPermission,
    Nic,
    Pod,
    Project,
    ProjectRole,
    QuarantinedIp,
    SecurityGroup,
    SecurityGroupRule,
    ServiceOffering,
    SnapshotPolicy,
    StickinessPolicy,
    StoragePool,
    SystemVm,
    Template,
    User,
    VirtualMachine,
    VmSchedule,
    Volume,
    Vpc,
    VpcOffering,
    Webhook,
    WebhookDelivery,
    Zone,
)
from cloudsim.store import Row, Store

Rule = Callable[[Store, Caller, Any, bool], bool]
"""(store, caller, row, operate) -> whether the caller may."""

_RULES: dict[type[Row], Rule] = {}


def rule(*row_types: type[Row]) -> Callable[[Rule], Rule]:
    """Register the decorated function as the rule of those row types."""

    def register(function: Rule) -> Rule:
        for row_type in row_types:
            _RULES[row_type] = function
        return function

    return register


def has_rule(row_type: type[Row]) -> bool:
    """Whether more than the owner of such a row decides who may name it."""
    return row_type in _RULES


def may(store: Store, caller: Caller, row: Row, *, operate: bool) -> bool:
    """Whether the caller may operate the row, or (`operate=False`) use it."""
    if caller.is_root_admin:
        return True
    found = _RULES.get(type(row))
    if found is not None:
        return found(store, caller, row, operate)
    account_id = getattr(row, "account_id", None)
    if account_id is None:
        return True
    return _owned(store, caller, account_id)


def check(store: Store, caller: Caller, row: Row, *, operate: bool = True) -> None:
    """Raise PermissionDenied unless the caller may operate (or use) the row."""
    if not may(store, caller, row, operate=operate):
        raise PermissionDenied(
            f"{caller.account.name} does not have permission to operate with resource {row.id}"
        )


def _owned(store: Store, caller: Caller, account_id: str) -> bool:
    account = store.table(Account).get(account_id)
    return account is not None and may_use(store, caller, account.id, account.domain_id)


@rule(Host, Cluster, Pod, StoragePool, ImageStore, BackupRepository, Extension)
def _infrastructure(store: Store, caller: Caller, row: Any, operate: bool) -> bool:
    return False


@rule(Zone)
def _zone(store: Store, caller: Caller, zone: Zone, operate: bool) -> bool:
    return not operate and (
        zone.domain_id is None or in_subtree(store, caller.account.domain_id, zone.domain_id)
    )


@rule(ServiceOffering, DiskOffering, NetworkOffering, VpcOffering)
def _offering(store: Store, caller: Caller, offering: Any, operate: bool) -> bool:
    domain_id = caller.account.domain_id
    if operate:
        return (
            caller.is_domain_admin
            and bool(offering.domain_ids)
            and all(in_subtree(store, each, domain_id) for each in offering.domain_ids)
        )
    return offered_to(store, offering, domain_id)


def offered_to(store: Store, offering: Any, domain_id: str) -> bool:
    """Whether the offering is for accounts of that domain."""
    return not offering.domain_ids or any(in_subtree(store, domain_id, each) for each in offering.domain_ids)


@rule(Template)
def _template(store: Store, caller: Caller, template: Template, operate: bool) -> bool:
    if not operate and (template.is_public or caller.account.id in template.shared_with):
        return True
    return _owned(store, caller, template.account_id)


def is_for_domain(store: Store, network: Network, domain_id: str) -> bool:
    """Whether a network of a domain is there for accounts of the domain `domain_id` too."""
    if network.subdomain_access:
        return in_subtree(store, domain_id, network.domain_id)
    return domain_id == network.domain_id


@rule(Network)
def _network(store: Store, caller: Caller, network: Network, operate: bool) -> bool:
    if not operate and network.acl_type == "Domain":
        return is_for_domain(store, network, caller.account.domain_id)
    if not operate and _shared(store, network.id, caller.account.id):
        return True
    return _owned(store, caller, network.account_id)


def _shared(store: Store, network_id: str, account_id: str) -> bool:
    permissions = store.table(NetworkPermission)
    return permissions.find(("network_id", "account_id"), (network_id, account_id)) is not None


@rule(Domain)
def _domain(store: Store, caller: Caller, domain: Domain, operate: bool) -> bool:
    if not operate and domain.id == caller.account.domain_id:
        return True
    return caller.is_domain_admin and in_subtree(store, domain.id, caller.account.domain_id)


@rule(Account)
def _account(store: Store, caller: Caller, account: Account, operate: bool) -> bool:
    return may_use(store, caller, account.id, account.domain_id)


@rule(User)
def _user(store: Store, caller: Caller, user: User, operate: bool) -> bool:
    return may_use(store, caller, user.account_id, user.domain_id)


@rule(Project)
def _project(store: Store, caller: Caller, project: Project, operate: bool) -> bool:
    if caller.is_domain_admin and in_subtree(store, project.domain_id, caller.account.domain_id):
        return True
    part = part_in(store, project.id, caller.account.id, caller.user_id)
    return part is not None and (part.role == "Admin" or not operate)


@rule(AffinityGroup)
def _affinity_group(store: Store, caller: Caller, group: AffinityGroup, operate: bool) -> bool:
    if group.of_domain:
        return not operate and in_subtree(store, caller.account.domain_id, group.domain_id)
    return _owned(store, caller, group.account_id)


@rule(AsyncJob)
def _job(store: Store, caller: Caller, job: AsyncJob, operate: bool) -> bool:
    return _owned(store, caller, job.account_id)


@rule(ProjectRole)
def _project_role(store: Store, caller: Caller, role: ProjectRole, operate: bool) -> bool:
    project = store.table(Project).get(role.project_id)
    return project is not None and _project(store, caller, project, operate)


@rule(WebhookDelivery)
def _delivery(store: Store, caller: Caller, delivery: WebhookDelivery, operate: bool) -> bool:
    webhook = store.table(Webhook).get(delivery.webhook_id)
    return webhook is not None and _owned(store, caller, webhook.account_id)


@rule(Nic, VmSchedule, BackupSchedule)
def _of_vm(store: Store, caller: Caller, row: Nic | VmSchedule | BackupSchedule, operate: bool) -> bool:
    vm = store.table(VirtualMachine).get(row.vm_id)
    return vm is not None and _owned(store, caller, vm.account_id)


@rule(SystemVm)
def _system_vm(store: Store, caller: Caller, row: SystemVm, operate: bool) -> bool:
    served = store.table(Vpc).get(row.vpc_id) or store.table(Network).get(row.network_id)
    return served is not None and served.account_id is not None and _owned(store, caller, served.account_id)


@rule(SnapshotPolicy)
def _policy(store: Store, caller: Caller, policy: SnapshotPolicy, operate: bool) -> bool:
    volume = store.table(Volume).get(policy.volume_id)
    return volume is not None and _owned(store, caller, volume.account_id)


@rule(StickinessPolicy, HealthCheckPolicy)
def _balancer_policy(store: Store, caller: Caller, row: Any, operate: bool) -> bool:
    balancer = store.table(LoadBalancerRule).get(row.rule_id)
    return balancer is not None and _owned(store, caller, balancer.account_id)


@rule(SecurityGroupRule)
def _security_group_rule(store: Store, caller: Caller, row: SecurityGroupRule, operate: bool) -> bool:
    group = store.table(SecurityGroup).get(row.group_id)
    return group is not None and _owned(store, caller, group.account_id)


@rule(QuarantinedIp)
def _quarantined_ip(store: Store, caller: Caller, row: QuarantinedIp, operate: bool) -> bool:
    return may_use(store, caller, row.previous_owner_id, row.previous_domain_id)


@rule(NetworkAclList)
def _acl_list(store: Store, caller: Caller, acl: NetworkAclList, operate: bool) -> bool:
    if acl.vpc_id is None:
        return True  # default and global lists are for everybody to use; who may change them: `check_may_change`
    vpc = store.table(Vpc).get(acl.vpc_id)
    return vpc is not None and _owned(store, caller, vpc.account_id)


@rule(NetworkAcl)
def _acl_rule(store: Store, caller: Caller, rule: NetworkAcl, operate: bool) -> bool:
    acl = store.table(NetworkAclList).get(rule.list_id)
    return acl is not None and _acl_list(store, caller, acl, operate)
