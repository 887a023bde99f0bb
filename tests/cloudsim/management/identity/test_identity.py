"""Accounts, limits and visibility without an API."""

from __future__ import annotations

import asyncio

import pytest

from cloudsim.errors import (
    CloudError,
    InvalidParameterValue,
    PermissionDenied,
    ResourceAllocationFailed,
)
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.identity.limited_resources import BY_NAME, GIB, LIMIT_KEYS, TYPES, resource_type
from cloudsim.management.identity.limits import Limits
from cloudsim.management.identity.passwords import Passwords
from cloudsim.management.identity.projects import Projects
from cloudsim.model import (
    ROW_TYPES,
    Account,
    Domain,
    Host,
    Project,
    ServiceOffering,
    Template,
    User,
    VirtualMachine,
    Volume,
)
from cloudsim.randomness import Randomness
from cloudsim.store import Store


class Bench:
    """ROOT with admin; ROOT/d with boss (domain admin) and ann; ROOT/e with bob."""

    def __init__(self) -> None:
        self.store = Store(ROW_TYPES)
        self.foundation = Foundation(self.store, Randomness(1), lambda: 1.8e9)
        self.identity = Identity(self.foundation, password_cost=4)
        self.limits = Limits(self.foundation)
        self.projects = Projects(self.foundation, self.identity, self.limits)
        self.admin = Caller(self.identity.seed())
        domains = self.identity.domains
        self.d, self.e = (domains.create(name, domains.root) for name in "de")
        self.boss = self.account("boss", self.d, 2)
        self.ann = self.account("ann", self.d)
        self.bob = self.account("bob", self.e)

    def account(self, name: str, domain: Domain, type: int = 0) -> Account:
        accounts = self.identity.accounts
        return accounts.create(None, name=name, username=name, password="x", domain=domain, type=type)

    def volume(self, owner: Account, number: int, size: int = GIB) -> Volume:
        with self.store.transaction():
            return self.store.table(Volume).insert(
                Volume(
                    id=f"{owner.name}-{number}",
                    name="v",
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    zone_id="z",
                    type="DATADISK",
                    size=size,
                )
            )

    def may(self, who: Account, row: object, *, operate: bool) -> bool:
        return visibility.may(self.store, Caller(who), row, operate=operate)  # type: ignore[arg-type]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_passwords_are_salted_and_carry_their_cost() -> None:
    cheap, dear = Passwords(Randomness(1), 4), Passwords(Randomness(2), 6)
    first, second = cheap.hashed("päss"), cheap.hashed("päss")
    assert first != second and "päss" not in first
    assert dear.matches("päss", first) and not dear.matches("pass", first)
    for unusable in ("", "password", "scrypt$4$$", "scrypt$4$AAAA$AAAA"):
        assert not cheap.matches("", unusable) and not cheap.matches("password", unusable)


def test_two_clouds_of_one_seed_are_the_same() -> None:
    one, other = Bench(), Bench()
    assert list(one.store.table(User)) == list(other.store.table(User))
    assert list(one.store.table(Account)) == list(other.store.table(Account))


def test_a_refused_account_leaves_nothing(bench: Bench) -> None:
    before = bench.store.sequence
    make = bench.identity.accounts.create
    for wrong in (
        {"username": "ann"},
        {"username": "new", "name": "ann"},
        {"username": " "},
        {"username": "new", "type": 9},
        {"username": "new", "type": None},
        {"username": "new", "network_domain": "-bad-"},
    ):
        arguments = {"name": None, "password": "x", "domain": bench.d, "type": 0} | wrong
        with pytest.raises(InvalidParameterValue):
            make(bench.admin, **arguments)  # type: ignore[arg-type]
    with pytest.raises(PermissionDenied):
        make(Caller(bench.boss), name=None, username="new", password="x", domain=bench.d, type=1)
    assert bench.store.sequence == before


def test_an_account_goes_with_its_users_and_what_hooks_delete(bench: Bench) -> None:
    deleted = []

    async def hook(account: Account) -> None:
        deleted.append((account.name, account.state))

    bench.identity.accounts.on_delete.append(hook)
    asyncio.run(bench.identity.accounts.delete(bench.ann.id))
    assert deleted == [("ann", "disabled")]
    assert bench.identity.users.named("ann", bench.d.id) is None
    assert bench.ann.id not in bench.store.table(Account)
    asyncio.run(bench.identity.accounts.delete(bench.ann.id))
    assert len(deleted) == 1


def test_a_domain_goes_with_projects_accounts_and_subdomains(bench: Bench) -> None:
    project = bench.projects.create(bench.ann, "p")
    below = bench.identity.domains.create("below", bench.d)
    bench.account("eve", below)
    with pytest.raises(CloudError):
        asyncio.run(bench.identity.domains.delete(bench.d.id))
    asyncio.run(bench.identity.domains.delete(bench.d.id, cleanup=True))
    assert {d.path for d in bench.store.table(Domain)} == {"ROOT", "ROOT/e"}
    assert {a.name for a in bench.store.table(Account)} == {"system", "admin", "bob"}
    assert project.id not in bench.store.table(Project)


def test_a_domain_whose_deletion_fails_is_active_again(bench: Bench) -> None:
    async def hook(account: Account) -> None:
        raise CloudError("no")

    bench.identity.accounts.on_delete.append(hook)
    with pytest.raises(CloudError, match="no"):
        asyncio.run(bench.identity.domains.delete(bench.d.id, cleanup=True))
    assert bench.store.table(Domain)[bench.d.id].state == "Active"


def test_domains_are_found_by_any_spelling_of_their_path(bench: Bench) -> None:
    below = bench.identity.domains.create("Below", bench.d)
    at = bench.identity.domains.at
    assert {at(path) for path in ("/d/Below", "d/below/", "ROOT/D/BELOW", "root/d/below")} == {below}
    assert at("/") == at("") == at(None) == at("ROOT") == bench.identity.domains.root
    assert at("/nowhere") is None


def test_limits_count_what_is_there(bench: Bench) -> None:
    limits, volume, storage = bench.limits, BY_NAME["volume"], BY_NAME["primary_storage"]
    limits.set(bench.admin, bench.ann, volume, 2)
    bench.volume(bench.ann, 1)
    limits.check(bench.ann, "volume")
    bench.volume(bench.ann, 2)
    with pytest.raises(ResourceAllocationFailed, match="account ann"):
        limits.check(bench.ann, "volume")
    with bench.store.transaction():
        bench.store.table(Volume).update("ann-2", state="Destroy")
    limits.check(bench.ann, "volume")
    limits.set(bench.admin, bench.d, storage, 3)
    limits.check(bench.ann, "primary_storage", 2 * GIB)
    with pytest.raises(ResourceAllocationFailed, match="domain ROOT/d"):
        limits.check(bench.boss, "primary_storage", 2 * GIB + 1)
    limits.check(bench.bob, "primary_storage", 100 * GIB)
    limits.check(bench.admin.account, "primary_storage", 10**18)


def test_a_deployment_asks_every_limit(bench: Bench) -> None:
    for kind in ("user_vm", "cpu", "memory", "volume", "primary_storage"):
        fresh = Bench()
        fresh.limits.set(fresh.admin, fresh.ann, BY_NAME[kind], 0)
        with pytest.raises(ResourceAllocationFailed, match=kind):
            fresh.limits.check_deployment(fresh.ann, 1, 512, 0, GIB, [GIB])
    bench.limits.check_deployment(bench.ann, 1, 512, 0, GIB, [GIB])


def test_who_may_set_limits(bench: Bench) -> None:
    volume = BY_NAME["volume"]
    limits = bench.limits
    limits.set(Caller(bench.boss), bench.ann, volume, 5)
    assert limits.of_account(bench.ann, volume) == 5
    for owner in (bench.boss, bench.d, bench.bob, bench.e):
        with pytest.raises(PermissionDenied):
            limits.set(Caller(bench.boss), owner, volume, 5)
    for owner in (bench.admin.account, bench.identity.domains.root):
        with pytest.raises(InvalidParameterValue):
            limits.set(bench.admin, owner, volume, 5)
    below = bench.identity.domains.create("below", bench.d)
    limits.set(bench.admin, bench.d, volume, 10)
    with pytest.raises(InvalidParameterValue):
        limits.set(bench.admin, below, volume, 11)


def test_resource_types_are_cloudstacks_numbers() -> None:
    assert [type.number for type in TYPES] == [*range(14), 16]
    assert resource_type(8) is BY_NAME["cpu"] and resource_type(None, "MEMORY") is TYPES[9]
    assert resource_type(None) is None and len(LIMIT_KEYS) == 45
    for wrong in ((14, None), (-1, None), (None, "horses")):
        with pytest.raises(InvalidParameterValue):
            resource_type(*wrong)


def test_who_may_use_and_operate_what(bench: Bench) -> None:
    volume = bench.volume(bench.ann, 1)
    template = Template(
        id="t",
        name="t",
        display_text="t",
        account_id=bench.ann.id,
        domain_id=bench.d.id,
        format="QCOW2",
        hypervisor="KVM",
        guest_os_id="o",
        is_public=True,
    )
    offering = ServiceOffering(
        id="o", name="o", display_text="o", cpus=1, cpu_mhz=1, memory_mib=1, domain_ids=(bench.d.id,)
    )
    host = Host(
        id="h", name="h", guid="g", zone_id="z", pod_id="p", cluster_id="c", hypervisor="KVM", url="", private_ip="",
        cpus=1, cpu_mhz=1, memory_mib=1,
    )
    admin = bench.admin.account
    expected = (
        # who operates it, who uses it
        (volume, {"admin", "boss", "ann"}, {"admin", "boss", "ann"}),
        (template, {"admin", "boss", "ann"}, {"admin", "boss", "ann", "bob"}),
        (offering, {"admin", "boss"}, {"admin", "boss", "ann"}),
        (host, {"admin"}, {"admin"}),
        (bench.d, {"admin", "boss"}, {"admin", "boss", "ann"}),
        (bench.ann, {"admin", "boss", "ann"}, {"admin", "boss", "ann"}),
    )
    for row, operators, users in expected:
        for operate, names in ((True, operators), (False, users)):
            allowed = {who.name for who in (admin, bench.boss, bench.ann, bench.bob) if bench.may(who, row, operate=operate)}
            assert allowed == names, (type(row).__name__, operate)


def test_members_use_a_project_and_its_leaders_operate_it(bench: Bench) -> None:
    project = bench.projects.create(bench.ann, "p")
    other = bench.account("carl", bench.d)
    assert not bench.may(other, project, operate=False)
    bench.projects.add(project, other)
    assert bench.may(other, project, operate=False) and not bench.may(other, project, operate=True)
    owner = bench.store.table(Account)[project.account_id]
    assert bench.may(other, bench.volume(owner, 1), operate=True)
    assert not bench.may(bench.bob, bench.store.table(Volume)[f"{owner.name}-1"], operate=True)
    with pytest.raises(InvalidParameterValue):
        bench.projects.add(project, bench.bob)


def test_roles_decide_by_their_first_matching_rule(bench: Bench) -> None:
    roles = bench.identity.roles
    role = roles.create("r", type="User", like=None)
    roles.change_rules(role, lambda _: (("list*", "allow"), ("listHosts", "deny"), ("start*", "deny")))
    everyone = frozenset({"Admin", "User"})
    with bench.store.transaction():
        ann = bench.store.table(Account).update(bench.ann.id, role_id=role.id)
    for name, allowed in (("listHosts", True), ("LISTzones", True), ("startRouter", False), ("stopRouter", False)):
        assert roles.allows(ann, name, everyone) is allowed
    assert roles.allows(bench.bob, "stopRouter", everyone) and not roles.allows(bench.bob, "addHost", frozenset({"Admin"}))


def test_vm_usage_leaves_out_what_is_gone(bench: Bench) -> None:
    for number, state in enumerate(("Running", "Stopped", "Destroyed", "Error")):
        with bench.store.transaction():
            bench.store.table(VirtualMachine).insert(
                VirtualMachine(
                    id=str(number), name="n", display_name="n", instance_name=f"i{number}", account_id=bench.ann.id,
                    domain_id=bench.d.id, zone_id="z", template_id="t", service_offering_id="o", cpus=2, cpu_mhz=1,
                    memory_mib=10, state=state,  # type: ignore[arg-type]
                )
            )
    limits = bench.limits
    assert [limits.count(bench.ann.id, BY_NAME[k]) for k in ("user_vm", "cpu", "memory")] == [2, 4, 20]
    assert limits.count_domain(bench.d.id, BY_NAME["cpu"]) == 4
