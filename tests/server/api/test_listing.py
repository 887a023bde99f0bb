"""List calls find what a scan would find, and a page of many rows costs little."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from cloudsim.management.identity.caller import Caller
from cloudsim.model import ROW_TYPES, Account, Domain, Event, Project, ProjectMember, ResourceTag, Volume
from cloudsim.store import Store
from server.api.command import COMMANDS, Call, Listed
from server.api.commands import load
from server.api.listing import Paging, listed
from server.api.scope import Ownership, ownership
from server.api.views import render
from tests.server.api.api_harness import Api, Client, refused

load()
OWNERS = ("a", "b", "c", "p1", "p2")
"""p1 and p2 own what projects own."""


def cloud(volumes: list[Volume]) -> Store:
    store = Store(ROW_TYPES)
    with store.transaction():
        store.table(Domain).insert(Domain(id="root", name="ROOT", path="ROOT"))
        for name in OWNERS:
            project = name if name.startswith("p") else None
            kind = 5 if project else 0
            store.table(Account).insert(Account(id=name, name=name, type=kind, domain_id="root", project_id=project))
            if project:
                store.table(Project).insert(
                    Project(id=name, name=name, display_text=name, domain_id="root", account_id=name)
                )
        for volume in volumes:
            store.table(Volume).insert(volume)
    return store


def call_of(store: Store) -> Call:
    manager = SimpleNamespace(foundation=SimpleNamespace(store=store))
    caller = Caller(Account(id="admin", name="admin", type=1, domain_id="root"))
    return Call(COMMANDS["listapis"], manager, caller, {}, {})


def volume(number: int, owner: str, zone: str, state: str, vm: str | None) -> Volume:
    return Volume(
        id=f"v{number}",
        name=f"disk-{number}",
        account_id=owner,
        domain_id="root",
        zone_id=zone,
        type="ROOT" if number % 2 else "DATADISK",
        size=1,
        state=state,  # type: ignore[arg-type]
        vm_id=vm,
    )


volumes = st.lists(
    st.tuples(
        st.sampled_from(OWNERS),
        st.sampled_from(("z1", "z2")),
        st.sampled_from(("Ready", "Destroy")),
        st.none() | st.sampled_from(("m1", "m2")),
    ),
    max_size=25,
).map(lambda rows: [volume(n, *row) for n, row in enumerate(rows)])
scopes = st.one_of(
    st.none(),
    st.just(Ownership(None, ("p1", "p2"))),
    st.just(Ownership(None)),
    st.lists(st.sampled_from(OWNERS), unique=True, max_size=3).map(lambda ids: Ownership(tuple(ids))),
)
conditions = st.fixed_dictionaries(
    {
        "zone_id": st.none() | st.sampled_from(("z1", "z2", "z3")),
        "vm_id": st.none() | st.sampled_from(("m1", "m2")),
        "state": st.none() | st.just("Ready"),
        "type": st.none() | st.just("ROOT"),
    }
)
pages = st.builds(Paging, st.integers(0, 12), st.none() | st.integers(1, 8), st.none() | st.sampled_from(("1", "DISK")))


@settings(max_examples=300, deadline=None)
@given(rows=volumes, scope=scopes, equal=conditions, page=pages, newest=st.booleans(), odd=st.booleans())
def test_listed_finds_what_a_scan_finds(
    rows: list[Volume], scope: Ownership | None, equal: dict[str, Any], page: Paging, newest: bool, odd: bool
) -> None:
    keep = (lambda v: int(v.id[1:]) % 2 == 1) if odd else None
    answer = listed(
        call_of(cloud(rows)), Volume, page=page, scope=scope, equal=equal, keep=keep, newest_first=newest
    )
    wanted = [
        row
        for row in rows
        if all(value is None or getattr(row, field) == value for field, value in equal.items())
        and (scope is None or scope.owns(row.account_id))
        and (keep is None or keep(row))
        and (page.keyword is None or page.keyword.lower() in row.name)
    ]
    assert answer.total == len(wanted)
    whole = listed(
        call_of(cloud(rows)), Volume, page=Paging(0, None, page.keyword), scope=scope, equal=equal, keep=keep
    )
    assert {row.id for row in whole.rows} == {row.id for row in wanted}
    several = scope is not None and scope.accounts is not None and len(scope.accounts) > 1
    if not several:  # the rows of several accounts come account by account
        ordered = wanted[::-1] if newest else wanted
        end = None if page.size is None else page.start + page.size
        assert list(answer.rows) == ordered[page.start : end]


@pytest.mark.parametrize("kept", [None, lambda event: event.level == "INFO"], ids=["whole", "filtered"])
def test_the_newest_of_several_accounts_come_first(kept: Any) -> None:
    store = cloud([])
    with store.transaction():
        for n in range(12):
            store.table(Event).insert(
                Event(
                    id=str(n),
                    type="T",
                    level="INFO",
                    state="Completed",
                    description="",
                    account_id="ab"[n % 2],
                    domain_id="",
                    created=float(n),
                )
            )
    scope = Ownership(("a", "b"))
    answer = listed(call_of(store), Event, page=Paging(2, 4), scope=scope, keep=kept, newest_first=True)
    assert [event.id for event in answer.rows] == ["9", "8", "7", "6"] and answer.total == 12


def test_rows_without_an_owner_index_are_scoped_too() -> None:
    store = cloud([])
    with store.transaction():
        for n, owner in enumerate(OWNERS):
            store.table(ResourceTag).insert(
                ResourceTag(
                    id=str(n), resource_type="Zone", resource_id="z", key=f"k{n}", value="v", account_id=owner, domain_id=""
                )
            )
    call = call_of(store)
    scope = ownership(call, listall=True)
    assert [tag.account_id for tag in listed(call, ResourceTag, page=Paging(), scope=scope).rows] == ["a", "b", "c"]


def test_tags_narrow() -> None:
    store = cloud([volume(n, "a", "z1", "Ready", None) for n in range(3)])
    with store.transaction():
        for n, (resource, key, value) in enumerate((("v0", "k", "x"), ("v1", "k", "x"), ("v1", "l", "y"))):
            store.table(ResourceTag).insert(
                ResourceTag(
                    id=str(n), resource_type="Volume", resource_id=resource, key=key, value=value, account_id="a", domain_id=""
                )
            )
    call = call_of(store)
    for tags, found in (({"k": "x"}, ["v0", "v1"]), ({"k": "x", "l": "y"}, ["v1"]), ({"k": "y"}, [])):
        answer = listed(call, Volume, page=Paging(), tags=tags)
        assert [row.id for row in answer.rows] == found and answer.total == len(found)


def test_scope_follows_the_caller(api: Api, admin: Client) -> None:
    inside = admin("createDomain", name="inside")["domain"]["id"]
    _, boss = api.account("boss", type=2, domain=inside)
    _, ann = api.account("ann", domain=inside)
    _, outsider = api.account("outsider")
    ann("createTags", resourcetype="User", resourceids=[api.user("ann").id], tags={"mine": "1"})
    project = ann("createProject", name="p")["project"]["id"]
    ann("createTags", resourcetype="Project", resourceids=[project], tags={"ours": "1"})
    for client, everything, found in (
        (ann, False, {"mine"}),
        (boss, False, set()),
        (boss, True, {"mine"}),
        (admin, False, set()),
        (admin, True, {"mine"}),
        (outsider, True, set()),
    ):
        answer = client("listTags", listall=everything)
        assert {tag["key"] for tag in answer.get("tag", ())} == found
    assert {tag["key"] for tag in admin("listTags", projectid=-1, listall=True)["tag"]} == {"mine", "ours"}
    assert admin("listTags", projectid=-1)["tag"][0]["project"] == "p"
    assert ann("listTags", projectid=project)["tag"][0]["key"] == "ours"
    refused(531, outsider, "listTags", projectid=project)
    refused(531, outsider, "listTags", domainid=inside)
    refused(431, admin, "listTags", projectid=project, account="ann", domainid=inside)
    assert admin("listTags", domainid=inside)["count"] == 1
    root = admin("listDomains", name="ROOT")["domain"][0]["id"]
    assert admin("listTags", domainid=root) == {}
    assert admin("listTags", domainid=root, isrecursive=True)["count"] == 1


@pytest.fixture(scope="module")
def many() -> Store:
    """100,000 volumes of a few accounts, two of them projects'."""
    return cloud([volume(n, OWNERS[0] if n % 100 else OWNERS[n // 100 % 5], "z1", "Ready", None) for n in range(100_000)])


@pytest.mark.parametrize("newest", [False, True])
def test_a_page_of_100_000_rows_takes_milliseconds(many: Store, newest: bool) -> None:
    call = call_of(many)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        scope = ownership(call, listall=True)
        answer = listed(call, Volume, page=Paging(0, 500), scope=scope, newest_first=newest)
        took.append(time.perf_counter() - began)
    assert answer.total == 100_000 - 400 and len(answer.rows) == 500
    assert min(took) < 0.02




def test_rendering_a_page_adds_little_to_the_views_themselves(many: Store) -> None:
    view = COMMANDS["listevents"].view
    assert view is not None
    call = call_of(many)
    events = [
        Event(
            id=str(n), type="X", level="INFO", state="Completed", description="", account_id="a", domain_id="root", created=n
        )
        for n in range(500)
    ]
    rendering, alone = [], []
    for _ in range(20):
        began = time.perf_counter()
        for event in events:
            view.of(event, call)
        alone.append(time.perf_counter() - began)
        began = time.perf_counter()
        render(view, events, call)
        rendering.append(time.perf_counter() - began)
    assert (min(rendering) - min(alone)) / 500 < 10e-6


def test_rows_by_id_come_once() -> None:
    call = call_of(cloud([volume(n, "a", "z1", "Ready", None) for n in range(3)]))
    table = call.store.table(Account)
    ids = [table["a"], table["b"], table["a"]]
    assert [row.id for row in listed(call, Account, page=Paging(), ids=ids).rows] == ["a", "b"]


def test_a_member_sees_its_projects_rows_by_id(api: Api) -> None:
    _, ann = api.account("ann")
    ann("createProject", name="p")
    store = api.store
    member = store.table(ProjectMember).where("account_id", api.user("ann").account_id)[0]
    account = store.table(Project)[member.project_id].account_id
    caller = Caller(store.table(Account)[api.user("ann").account_id])
    call = Call(COMMANDS["listapis"], api.manager, caller, {}, {})
    assert account in (ownership(call, named=True).accounts or ())
    assert isinstance(listed(call, Volume, page=Paging(), scope=ownership(call, named=True)), Listed)


def test_names_are_compared_without_regard_to_case(admin: Client) -> None:
    for name in ("Web", "web2"):
        admin("createServiceOffering", name=name, displaytext=name, cpunumber=1, cpuspeed=500, memory=128)
    found = admin("listServiceOfferings", name="wEB")["serviceoffering"]
    assert [row["name"] for row in found] == ["Web"]
    assert admin("listServiceOfferings", name="we") == {}
