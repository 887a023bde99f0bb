"""What the journal promises: a reload finds the memory as it was, or nobody was told otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, get_args, get_origin

import hypothesis.strategies as st
import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.model import ROW_TYPES, Alert, Configuration, Event, ResourceTag, VirtualMachine
from cloudsim.store import Row, Store
from server.database import DatabaseJournal, JournalBroken, load_rows, open_database
from server.database.load import load_table
from server.database.schema import MAPPINGS

NewDatabase = Callable[[], AbstractContextManager[str]]

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
ALERTS = [f"alert{n}" for n in range(6)]


@contextmanager
def opened(path: str, on_failure: Callable[[JournalBroken], None] | None = None) -> Iterator[Store]:
    """A Store loaded from `path` with a journal on it; closed at the end, unless it is broken."""
    engine = open_database(path)
    journal = DatabaseJournal(engine, on_failure=on_failure)
    store = Store(ROW_TYPES, journal)
    store.load(load_rows(engine))
    try:
        yield store
    finally:
        try:
            journal.close()
        except JournalBroken:
            assert on_failure is not None
        engine.dispose()


def plain_url(path: str) -> str:
    """For an engine that takes no lock."""
    return path.replace("postgresql:", "postgresql+psycopg:") if "://" in path else f"sqlite:///{path}"


def contents(store: Store) -> dict[str, list[Row]]:
    return {name: list(table) for name, table in store.tables.items()}


def journal_of(store: Store) -> DatabaseJournal:
    assert isinstance(store.journal, DatabaseJournal)
    return store.journal


def alert(row_id: str, text: str = "") -> Alert:
    return Alert(id=row_id, type=1, name="x", description=text)


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Any value of a row's field that the database must keep."""
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if annotation is str:
        return TEXT
    if annotation is int:
        return st.integers(-(2**63), 2**63 - 1)
    if annotation is float:
        return st.floats(allow_nan=False)
    if annotation in (bool, type(None)):
        return st.from_type(annotation)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        finite = st.floats(allow_nan=False, allow_infinity=False)  # structures are kept as JSON, which has no others
        parts = {f.name: finite if f.type is float else values_of(f.type) for f in msgspec.structs.fields(annotation)}
        return st.builds(annotation, **parts)
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=2)
    if get_origin(annotation) is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
        return st.tuples(*map(values_of, arguments))
    return st.one_of(*map(values_of, arguments))  # a union


@pytest.fixture(scope="module")
def engine(new_database: NewDatabase) -> Iterator[sa.Engine]:
    with new_database() as path:
        engine = open_database(path)
        yield engine
        engine.dispose()


@pytest.mark.parametrize("row_type", ROW_TYPES, ids=lambda t: t.__name__)
def test_every_row_type_comes_back_as_it_was(engine: sa.Engine, row_type: type[Row]) -> None:
    fields = msgspec.structs.fields(row_type)
    strategy = st.builds(row_type, **{f.name: values_of(f.type) for f in fields})
    columns = [keys if isinstance(keys, tuple) else (keys,) for keys in ("id", *row_type.keys.unique)]
    unique_by = tuple(lambda row, names=names: tuple(getattr(row, n) for n in names) for names in columns)

    @settings(max_examples=6, deadline=None)
    @given(st.lists(strategy, min_size=1, max_size=8, unique_by=unique_by))
    def round_trip(rows: list[Row]) -> None:
        with engine.begin() as connection:
            connection.execute(sa.delete(MAPPINGS[row_type].table))
        journal = DatabaseJournal(engine)
        store = Store([row_type], journal)
        with store.transaction():
            for row in rows:
                store.table(row_type).insert(row)
        journal.close()
        with engine.connect() as connection:
            assert list(load_table(connection, MAPPINGS[row_type])) == rows

    round_trip()


WRITES = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(ALERTS), TEXT),
    st.tuples(st.just("delete"), st.sampled_from(ALERTS), st.just("")),
    st.tuples(st.just("setting"), st.sampled_from(["a", "b"]), TEXT),
    st.tuples(st.just("wait"), st.just(""), st.just("")),
)


RUNS = st.lists(st.lists(st.tuples(st.lists(WRITES, max_size=6), st.booleans()), max_size=6), max_size=2)
"""Each run is a manager's life: transactions, some of them aborted, some waited for."""


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 30), ("postgresql", 6)])
def test_a_reload_finds_what_was_committed_in_its_order(
    request: pytest.FixtureRequest, kind: str, examples: int
) -> None:
    """A database of PostgreSQL takes long to make."""
    new_database: NewDatabase = request.getfixturevalue(f"new_{kind}")

    async def run(store: Store, transactions: list[Any]) -> None:
        for writes, aborts in transactions:
            try:
                with store.transaction():
                    for write in writes:
                        apply(store, *write, aborts=aborts)
                    if aborts:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass
            if any(write[0] == "wait" for write in writes):
                await store.durable()  # so that it is written in a batch before the next

    @settings(max_examples=examples, deadline=None)
    @given(runs=RUNS)
    def reload(runs: list[Any]) -> None:
        expected: dict[str, list[Row]] = {row_type.__name__: [] for row_type in ROW_TYPES}
        with new_database() as path:
            for transactions in [*runs, []]:
                with opened(path) as store:
                    assert contents(store) == expected
                    asyncio.run(run(store, transactions))
                    expected = contents(store)

    reload()


def apply(store: Store, kind: str, key: str, text: str, *, aborts: bool) -> None:
    alerts, settings_ = store.table(Alert), store.table(Configuration)
    if kind == "put" and key in alerts:
        alerts.update(key, description=text)
    elif kind == "put":
        alerts.insert(alert(key, text))
    elif kind == "delete" and key in alerts and not aborts:  # an undone delete moves its row in memory
        alerts.delete(key)
    elif kind == "setting" and key in settings_:
        settings_.update(key, value=text)
    elif kind == "setting":
        settings_.insert(Configuration(id=key, name=key, value=text))


def test_hundreds_of_rows_of_one_batch_are_each_written(new_database: NewDatabase) -> None:
    with new_database() as path:
        with opened(path) as store, store.transaction():
            for n in range(700):
                store.table(Alert).insert(alert(str(n)))
        with opened(path) as store:
            alerts = store.table(Alert)
            with store.transaction():
                for n in range(0, 700, 2):
                    alerts.update(str(n), description=f"even {n}")
                for n in range(0, 700, 3):
                    alerts.delete(str(n))
            expected = list(alerts)
        with opened(path) as store:
            assert list(store.table(Alert)) == expected
            assert len(expected) == 466


def test_concurrent_waiters_share_few_sql_commits(new_database: NewDatabase) -> None:
    async def request(store: Store, number: int) -> None:
        with store.transaction():
            store.table(Alert).insert(alert(str(number)))
        await store.durable()

    async def requests(store: Store) -> None:
        await asyncio.gather(*(request(store, number) for number in range(200)))

    with new_database() as path, opened(path) as store:
        asyncio.run(requests(store))
        assert journal_of(store).commits == 200
        assert journal_of(store).sql_commits <= 50


def test_durable_returns_at_once_for_what_is_durable_already(new_database: NewDatabase) -> None:
    async def run(store: Store) -> None:
        await store.durable()
        with store.transaction():
            store.table(Alert).insert(alert("1"))
        await store.durable()
        waiting = store.durable()
        with pytest.raises(StopIteration):
            waiting.send(None)

    with new_database() as path, opened(path) as store:
        asyncio.run(run(store))


def test_a_cancelled_waiter_does_not_disturb_the_others(new_database: NewDatabase) -> None:
    async def run(store: Store) -> None:
        with store.transaction():
            store.table(Alert).insert(alert("1"))
        first, second = asyncio.create_task(store.durable()), asyncio.create_task(store.durable())
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert first.cancelled() or first.done()

    with new_database() as path, opened(path) as store:
        asyncio.run(run(store))


def fill_the_disk(store: Store) -> None:
    """Have SQLite refuse to grow the file any further, as it does when the disk is full."""
    with journal_of(store)._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")


def test_a_full_disk_is_told_to_every_waiter_and_nothing_is_acknowledged_after(
    new_sqlite: NewDatabase,
) -> None:
    failures: list[JournalBroken] = []

    async def request(store: Store, number: int, size: int) -> None:
        with store.transaction():
            store.table(Event).insert(
                Event(
                    id=str(number), type="x", level="INFO", state="Created", description="x" * size,
                    account_id="", domain_id="",
                )
            )
            store.table(Alert).insert(alert(str(number)))
        await store.durable()

    async def run(store: Store) -> None:
        await request(store, 0, 10)
        fill_the_disk(store)
        answers = await asyncio.gather(
            *(request(store, number, 100_000) for number in range(1, 20)), return_exceptions=True
        )
        assert all(isinstance(answer, JournalBroken) for answer in answers)
        assert "full" in str(answers[0])
        with pytest.raises(CloudError):
            await request(store, 20, 10)
        with pytest.raises(CloudError):
            await store.durable()

    with new_sqlite() as path:
        with opened(path, failures.append) as store:
            asyncio.run(run(store))
        assert len(failures) == 1
        with opened(path) as store:
            assert [event.id for event in store.table(Event)] == ["0"]
            assert [row.id for row in store.table(Alert)] == ["0"]


def test_a_database_changed_behind_the_managers_back_breaks_the_journal(new_database: NewDatabase) -> None:
    failures: list[JournalBroken] = []

    async def run(store: Store, path: str) -> None:
        with store.transaction():
            store.table(Alert).insert(alert("1"))
        await store.durable()
        other = sa.create_engine(plain_url(path))
        with other.begin() as connection:
            connection.exec_driver_sql("DELETE FROM alert")
        other.dispose()
        with store.transaction():
            store.table(Alert).update("1", description="new")
        with pytest.raises(JournalBroken):
            await store.durable()

    with new_database() as path, opened(path, failures.append) as store:
        asyncio.run(run(store, path))
    assert len(failures) == 1


@pytest.mark.parametrize(
    "tag",
    [{"value": "\ud800"}, {"value": "a\0b"}, {"key": "ä\0"}],
    ids=["not Unicode", "NUL", "NUL after non-ASCII"],
)
def test_text_that_no_database_holds_undoes_its_transaction_alone(
    new_database: NewDatabase, tag: dict[str, str]
) -> None:
    row = ResourceTag(**{"id": "1", "resource_type": "x", "resource_id": "x", "key": "x", "value": "x",
                         "account_id": "x", "domain_id": "x", **tag})  # fmt: skip
    with new_database() as path, opened(path) as store:
        with pytest.raises(InvalidParameterValue), store.transaction():
            store.table(Alert).insert(alert("1"))
            store.table(ResourceTag).insert(row)
        assert len(store.table(Alert)) == len(store.table(ResourceTag)) == 0
        with store.transaction():
            store.table(Alert).insert(alert("1"))
        asyncio.run(store.durable())


@pytest.mark.parametrize(
    "fields",
    [{"cpus": 2**63}, {"cpus": -(2**63) - 1}, {"created": float("nan")}, {"details": {"a": "\ud800"}}],
    ids=["too large", "too small", "not a number", "not Unicode in JSON"],
)
def test_values_that_no_column_holds_undo_their_transaction_alone(
    new_database: NewDatabase, fields: dict[str, Any]
) -> None:
    values: dict[str, Any] = {f.name: "x" for f in msgspec.structs.fields(VirtualMachine) if f.required}
    values |= {"cpus": 1, "cpu_mhz": 1, "memory_mib": 1, **fields}
    with new_database() as path, opened(path) as store:
        with pytest.raises(InvalidParameterValue), store.transaction():
            store.table(VirtualMachine).insert(VirtualMachine(**values))
        assert len(store.table(VirtualMachine)) == 0


def test_close_writes_what_is_queued_and_may_be_called_twice(new_database: NewDatabase) -> None:
    with new_database() as path:
        with opened(path) as store:
            with store.transaction():
                store.table(Alert).insert(alert("1"))
            journal_of(store).close()
            with pytest.raises(RuntimeError, match="closed"), store.transaction():
                store.table(Alert).insert(alert("2"))
        with opened(path) as store:
            assert [row.id for row in store.table(Alert)] == ["1"]
