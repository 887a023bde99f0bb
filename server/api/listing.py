"""List commands: which rows a caller asks for and may see, and the page of them that is answered.

`Page` is a parameter of a list command, as is `Scope` (see `scope`); `listed` answers it. Rows are found through the Store's
indexes; a scan happens only over what no index narrows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Annotated, Any, TypeVar, cast

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import ResourceTag
from cloudsim.store import Row, Store, Table
from server.api.command import Call, Listed
from server.api.parameters import Param, Parameter, parameter
from server.api.scope import Ownership

R = TypeVar("R", bound=Row)

Tags = Mapping[str, str]
"""The `tags` filter of a list command: `tags[0].key=..&tags[0].value=..`."""


@dataclass(frozen=True)
class Paging:
    """Which part of the rows: `size` None means all. `keyword` narrows them before they are counted."""

    start: int = 0
    size: int | None = None
    keyword: str | None = None


class _PageParameters:
    parameters: tuple[Parameter, ...] = (
        parameter("keyword", Annotated[str | None, Param("a text that the name contains")], None),
        parameter("page", Annotated[int | None, Param("which page, from 1; with pagesize")], None),
        parameter("pagesize", Annotated[int | None, Param("rows of a page; -1 for all, without page")], None),
    )

    def value(self, call: Call, values: Mapping[str, Any]) -> Paging:
        page, size = values.get("page"), values.get("pagesize")
        largest = call.manager.foundation.settings.integer("default.page.size")
        keyword = values.get("keyword") or None
        if size == -1:
            if page is not None:
                raise InvalidParameterValue("A pagesize of -1 asks for everything: page cannot be given with it")
            return Paging(0, None, keyword)
        if page is None and size is None:
            return Paging(0, largest, keyword)
        if page is None or size is None:
            raise InvalidParameterValue("Parameters page and pagesize must be given together")
        if size < 1 or size > largest:
            raise InvalidParameterValue(f"Parameter pagesize must be from 1 to {largest}, or -1")
        return Paging(max(page - 1, 0) * size, size, keyword)


Page = Annotated[Paging, _PageParameters()]
"""keyword, page and pagesize."""

SortKey = Annotated[int | None, Param("its place in lists, by sortkey.algorithm: the lowest number comes first")]
"""The sortkey of commands that change what is listed by it; see `by_sort_key`."""


def listed(
    call: Call,
    row_type: type[R],
    *,
    page: Paging,
    scope: Ownership | None = None,
    equal: Mapping[str, Any] | None = None,
    ids: Iterable[R] | None = None,
    keep: Callable[[R], bool] | None = None,
    search: Sequence[str] = ("name",),
    tags: Tags | None = None,
    owner: str = "account_id",
    newest_first: bool = False,
) -> Listed:
    """The page of `row_type`'s rows that a call asks for.

    scope         whose rows; None where rows have no owner.
    equal         field -> value; a None value is no condition. An indexed field narrows without a scan. A `name` is
                  compared without regard to case unless an index has it exactly so.
    ids           only these rows (what `id` and `ids` resolved to); None for no condition.
    keep          any further condition.
    search        the fields that a keyword is looked for in; without one a keyword is no condition.
    tags          tags that a row must carry.
    owner         the field with the owning account.
    newest_first  last inserted row first.

    Rows that have a sort key come by it.
    """
    table = call.store.table(row_type)
    conditions = {field: value for field, value in (equal or {}).items() if value is not None}
    tests: list[Callable[[R], bool]] = [keep] if keep is not None else []
    name = conditions.get("name")
    if isinstance(name, str) and not ("name" in row_type.keys.indexes and table.count("name", name)):
        del conditions["name"]
        tests.append(_named(name))
    if page.keyword is not None and search:
        tests.append(_contains(page.keyword, search))
    if tags:
        tagged = tagged_with(call.store, tags)
        tests.append(lambda row: row.id in tagged)
    if ids is not None:
        unique = {row.id: row for row in ids}.values()
        return _cut(by_sort_key(call, _matching(unique, conditions, scope, owner, tests)), page, newest_first)
    base = _narrowest(table, conditions, scope, owner)
    if base.index is not None:
        conditions.pop(base.index, None)
    hidden = scope.without if scope is not None and scope.accounts is None else ()
    left = scope if scope is not None and scope.accounts is not None and not base.by_owner else None
    unindexed = bool(hidden) and owner not in row_type.keys.indexes
    if conditions or tests or left is not None or unindexed or "sort_key" in row_type.__struct_fields__:
        whose = scope if hidden else left
        source = base.rows(table, scope, owner)
        found = by_sort_key(call, _matching(source, conditions, whose, owner, tests))
        if newest_first and base.by_owner and "created" in row_type.__struct_fields__:
            found.sort(key=attrgetter("created"))  # they came one account after the other
        return _cut(found, page, newest_first)
    if base.by_owner and base.ids is None:
        assert scope is not None and scope.accounts is not None
        return _across(table, scope.accounts, owner, page, newest_first)
    return _whole(table, base, hidden, owner, page, newest_first)


def by_sort_key(call: Call, rows: Iterable[R]) -> list[R]:
    """The rows, all of one type, in the order of their sort keys where they have any, and else as they come."""
    found = list(rows)
    if found and "sort_key" in type(found[0]).__struct_fields__:
        upwards = call.manager.foundation.settings.boolean("sortkey.algorithm")
        found.sort(key=attrgetter("sort_key"), reverse=not upwards)
    return found


@dataclass(frozen=True)
class _Base:
    """The smallest set that an index gives: a bucket (`index`, `key`), the owners' rows, or all."""

    index: str | None = None
    key: Any = None
    by_owner: bool = False
    ids: Collection[str] | None = None

    def rows(self, table: Table[R], scope: Ownership | None, owner: str) -> Iterable[R]:
        if self.index is not None:
            return table.where(self.index, self.key)
        if self.by_owner:
            assert scope is not None and scope.accounts is not None
            return [row for account_id in scope.accounts for row in table.where(owner, account_id)]
        return table


def _bucket(table: Table[R], index: str, key: Any) -> Collection[str]:
    return cast("Collection[str]", table.ids(index, key))


def _narrowest(table: Table[R], conditions: Mapping[str, Any], scope: Ownership | None, owner: str) -> _Base:
    indexes = table.row_type.keys.indexes
    best, smallest = _Base(), len(table)
    for field, value in conditions.items():
        if field in indexes and table.count(field, value) <= smallest:
            best, smallest = _Base(field, value, ids=_bucket(table, field, value)), table.count(field, value)
    if scope is not None and scope.accounts is not None and owner in indexes:
        owned = sum(table.count(owner, account_id) for account_id in scope.accounts)
        if owned <= smallest:
            only = _bucket(table, owner, scope.accounts[0]) if len(scope.accounts) == 1 else None
            best = _Base(by_owner=True, ids=only)
    return best


def _matching(
    rows: Iterable[R],
    conditions: Mapping[str, Any],
    scope: Ownership | None,
    owner: str,
    tests: Sequence[Callable[[R], bool]],
) -> Iterable[R]:
    """Those of the rows that meet everything. A chain of filters, since it may run over all rows of a table."""
    for field, value in conditions.items():
        rows = filter(_equal(field, value), rows)
    if scope is not None:
        rows = filter(_owned(scope, owner), rows)
    for test in tests:
        rows = filter(test, rows)
    return rows


def _equal(field: str, value: Any) -> Callable[[Any], bool]:
    of = attrgetter(field)
    return lambda row: of(row) == value


def _named(name: str) -> Callable[[Any], bool]:
    """Names are compared without regard to case, as CloudStack's database does."""
    wanted = name.lower()
    return lambda row: (row.name or "").lower() == wanted


def _owned(scope: Ownership, owner: str) -> Callable[[Any], bool]:
    of = attrgetter(owner)
    if scope.accounts is None:
        without = frozenset(scope.without)
        return lambda row: of(row) not in without
    accounts = frozenset(scope.accounts)
    return lambda row: of(row) in accounts


def _across(table: Table[R], accounts: Sequence[str], owner: str, page: Paging, newest_first: bool) -> Listed:
    """A page of what several accounts own: one account after the other, or the newest first where rows tell when."""
    total = sum(table.count(owner, account_id) for account_id in accounts)
    size = total if page.size is None else page.size
    if newest_first and "created" in table.row_type.__struct_fields__:
        newest = (map(table.__getitem__, reversed(_bucket_of(table, owner, each))) for each in accounts)
        rows = merge(*newest, key=lambda row: -row.created)  # type: ignore[attr-defined]
        return Listed(list(islice(rows, page.start, page.start + size)), total)
    ordered = reversed(accounts) if newest_first else accounts
    buckets = (_bucket_of(table, owner, account_id) for account_id in ordered)
    ids = (row_id for bucket in buckets for row_id in (reversed(bucket) if newest_first else bucket))
    return Listed([table[row_id] for row_id in islice(ids, page.start, page.start + size)], total)


def _bucket_of(table: Table[R], index: str, key: Any) -> dict[str, None]:
    return cast("dict[str, None]", table.ids(index, key))


def _whole(
    table: Table[R], base: _Base, hidden: Sequence[str], owner: str, page: Paging, newest_first: bool
) -> Listed:
    """A page of a whole bucket or table, without touching the rows of other pages more than to skip them."""
    hidden = [account_id for account_id in hidden if table.count(owner, account_id)]
    if base.ids is None:
        total = len(table) - sum(table.count(owner, account_id) for account_id in hidden)
        size = total if page.size is None else page.size
        if not hidden:
            return Listed(table.page(page.start, size, newest_first=newest_first), total)
        whose, excluded = attrgetter(owner), frozenset(hidden)
        rows = (row for row in (reversed(table) if newest_first else table) if whose(row) not in excluded)
        return Listed(list(islice(rows, page.start, page.start + size)), total)
    bucket = cast("dict[str, None]", base.ids)
    without = {row_id for account_id in hidden for row_id in table.ids(owner, account_id) if row_id in bucket}
    total = len(bucket) - len(without)
    size = total if page.size is None else page.size
    ids: Iterable[str] = reversed(bucket) if newest_first else bucket
    if without:
        ids = (row_id for row_id in ids if row_id not in without)
    return Listed([table[row_id] for row_id in islice(ids, page.start, page.start + size)], total)


def _cut(rows: list[R], page: Paging, newest_first: bool) -> Listed:
    if newest_first:
        rows.reverse()
    end = None if page.size is None else page.start + page.size
    return Listed(rows[page.start : end], len(rows))


def _contains(keyword: str, fields: Sequence[str]) -> Callable[[Any], bool]:
    wanted = keyword.lower()
    if len(fields) == 1:
        one = attrgetter(fields[0])
        return lambda row: wanted in (one(row) or "").lower()
    several = attrgetter(*fields)
    return lambda row: wanted in "\0".join(filter(None, several(row))).lower()


def tagged_with(store: Store, tags: Tags) -> set[str]:
    """Ids of what carries all the tags."""
    table = store.table(ResourceTag)
    found: set[str] | None = None
    for key, value in tags.items():
        ids = {tag.resource_id for tag in table.where(("key", "value"), (key, value))}
        found = ids if found is None else found & ids
    return found or set()


OnlyCount = Annotated[
    bool, Param("only how many there are, and none of them", name="retrieveonlyresourcecount", since="4.20")
]
"""The retrieveonlyresourcecount of some list commands; see `counted`."""


def counted(found: Listed, only: bool) -> Listed:
    """What was found, or only how much that is."""
    return Listed((), found.total, found.key) if only else found


def page_of(rows: list[Any], page: Paging, *, search: Sequence[str] = ("name",)) -> Listed:
    """A page of rows (or views) that the command has gathered by itself."""
    if page.keyword is not None and search:
        rows = list(filter(_contains(page.keyword, search), rows))
    return _cut(rows, page, False)
