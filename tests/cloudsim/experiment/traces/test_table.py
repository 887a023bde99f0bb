"""cloudsim's own trace schema, read and written."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import blocks_of
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.table import TableTrace
from cloudsim.experiment.traces.table_writing import write_table
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows, read, rows


class TestTable:
    def test_w1s_columns_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text(
            "# a comment\nid,arrival_ms,lifetime_ms,vcpu,mem_gib\n0,0,5,2,4\n1,9,,1,0.5\n"
        )
        trace = TableTrace(path="t.csv")
        assert read(trace, tmp_path) == [
            VmRequest("0", 0, 5, 2, 1000, 4096),
            VmRequest("1", 9, None, 1, 1000, 512),
        ]

    @pytest.mark.parametrize(
        ("rows", "text"),
        [
            ("a,0,1,1,1\na,1,1,1,1", r"t.csv:3: id: expected a name that no earlier row has, got 'a'"),
            ("a,5,1,1,1\nb,4,1,1,1", r"t.csv:3: arrival_ms: expected at least 5"),
            ("a,0,0,1,1", r"t.csv:2: lifetime_ms: expected at least 1"),
            ("a,0,1,1,nan", r"t.csv:2: mem_gib: expected a number"),
            ("a,0,1,1,0", r"t.csv:2: mem_gib: expected more than 0"),
            ("a,-1,1,1,1", r"t.csv:2: arrival_ms: expected at least 0"),
        ],
    )
    def test_malformed_rows(self, tmp_path: Path, rows: str, text: str) -> None:
        (tmp_path / "t.csv").write_text(f"id,arrival_ms,lifetime_ms,vcpu,mem_gib\n{rows}\n")
        with pytest.raises(TraceError, match=text):
            read(TableTrace(path="t.csv"), tmp_path)

    def test_no_memory_column(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("id,arrival_ms,lifetime_ms,vcpu\na,0,1,1\n")
        with pytest.raises(TraceError, match="expected a column memory_mib or mem_gib"):
            read(TableTrace(path="t.csv"), tmp_path)

    def test_an_empty_file_has_no_header(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("")
        with pytest.raises(TraceError, match=r"t.csv:1: expected a header"):
            read(TableTrace(path="t.csv"), tmp_path)

    def test_what_is_not_a_name_of_ours_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("region,vcpu,memory_mib,id,arrival_ms,lifetime_ms\neu,1,5,a,0,\n")
        assert read(TableTrace(path="t.csv"), tmp_path) == [VmRequest("a", 0, None, 1, 1000, 5)]

    def test_tenants_groups_expectations_and_work(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text(
            "id,arrival_ms,lifetime_ms,vcpu,memory_mib,tenant,expected_ms,affinity,anti_affinity,numa_nodes,work_ms\n"
            "a,0,9,1,5,acme,12,rack|x,,2,5|6\n"
            "b,0,,1,5,,,,web,,\n"
        )
        assert read(TableTrace(path="t.csv"), tmp_path) == [
            VmRequest(
                "a",
                0,
                9,
                1,
                1000,
                5,
                tenant="acme",
                expected_ms=12,
                affinity=("rack", "x"),
                numa_nodes=2,
                work_ms=(5, 6),
            ),
            VmRequest("b", 0, None, 1, 1000, 5, anti_affinity=("web",)),
        ]

    def test_the_file_may_be_compressed(self, tmp_path: Path) -> None:
        with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
            file.write("id,arrival_ms,lifetime_ms,vcpu,memory_mib\na,0,,1,5\n")
        trace = TableTrace(path="t.csv.gz")
        assert assert_columns_are_the_rows(trace, tmp_path) == [VmRequest("a", 0, None, 1, 1000, 5)]
        whole = (tmp_path / "t.csv.gz").read_bytes()
        (tmp_path / "t.csv.gz").write_bytes(whole[:-9])
        with pytest.raises(TraceError, match=r"t.csv.gz: not a whole gzip file"):
            read(trace, tmp_path)

    def test_two_columns_of_one_name(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("id,arrival_ms,lifetime_ms,vcpu,memory_mib,vcpu\na,0,1,1,1,2\n")
        with pytest.raises(TraceError, match=r"t.csv:1: expected each column only once, got 'vcpu' twice"):
            read(TableTrace(path="t.csv"), tmp_path)


names = st.text(
    st.characters(codec="utf-8", exclude_characters="|", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
)
some_names = st.lists(names, max_size=2).map(tuple)
durations = st.one_of(st.none(), st.integers(1, 10**12))
drawn = st.fixed_dictionaries(
    {
        "lifetime_ms": durations,
        "cpus": st.integers(1, 512),
        "cpu_mhz": st.sampled_from([1000, 2100]),
        "memory_mib": st.integers(1, 10**7),
        "gpus": st.integers(0, 16),
        "gpu_milli": st.integers(1, 1000),
        "gpu_models": some_names,
        "tags": some_names,
        "tenant": st.one_of(st.just(""), names),
        "expected_ms": durations,
        "affinity": some_names,
        "anti_affinity": some_names,
        "numa_nodes": st.integers(1, 4),
        "work_ms": st.lists(st.integers(1, 10**9), max_size=3).map(tuple),
    }
)
taken = st.fixed_dictionaries(
    {
        "start": st.integers(0, 6),
        "limit": st.one_of(st.none(), st.integers(1, 12)),
        "lifetimes": st.sampled_from(["recorded", "endless"]),
        "interarrival": st.sampled_from([1.0, 0.3, 7.7]),
        "every_ms": st.one_of(st.none(), st.integers(1, 10_000)),
        "lifetime_error": st.one_of(st.none(), st.just(0.0), st.floats(0.01, 800)),
    }
)


def arriving(rows: list[tuple[str, int, dict[str, Any]]]) -> list[VmRequest]:
    """Requests with these ids, these gaps before the next one, and these sizes."""
    clock = 0
    found = []
    for name, gap, rest in rows:
        found.append(VmRequest(id=name, arrival_ms=clock, **rest))
        clock += gap
    return found


traces = st.lists(st.tuples(names, st.integers(0, 10**9), drawn), max_size=15, unique_by=lambda r: r[0]).map(arriving)


class TestWriting:
    @pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
    @settings(deadline=None)
    @given(requests=traces, options=taken)
    def test_what_is_written_is_read_as_rows_and_as_columns(
        self, tmp_path_factory: pytest.TempPathFactory, name: str, requests: list[VmRequest], options: dict[str, Any]
    ) -> None:
        folder = tmp_path_factory.mktemp("table")
        assert write_table(folder / name, requests, "two\nlines") == len(requests)
        assert read(TableTrace(path=name), folder) == requests
        assert_columns_are_the_rows(TableTrace(path=name, **options), folder)

    def test_files_of_many_blocks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("cloudsim.experiment.traces.plain_csv._BLOCK_BYTES", 2000)
        monkeypatch.setattr("cloudsim.experiment.traces.columns.BATCH", 70)
        requests = [VmRequest(f"vm {i}", 5 * i, 7 + i % 3, 1 + i % 5, 1000, 1 + i, tenant=f"t{i % 7}") for i in range(300)]
        for name in ("t.csv", "t.parquet"):
            write_table(tmp_path / name, requests)
            trace = TableTrace(path=name, start=33, limit=200, interarrival=0.7, lifetime_error=0.4)
            assert len(list(trace.blocks(tmp_path, Randomness(1)))) > 2
            assert_columns_are_the_rows(trace, tmp_path)

    def test_a_failure_leaves_no_file(self, tmp_path: Path) -> None:
        def broken() -> Iterator[VmRequest]:
            yield VmRequest("a", 0, None, 1, 1000, 1)
            raise TraceError("no more")

        for name in ("t.csv", "t.parquet"):
            with pytest.raises(TraceError, match="no more"):
                write_table(tmp_path / name, broken())
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("request_", "text"),
        [
            (VmRequest("a", 0, None, 1, 1, 1, tags=("x|y",)), r"request a: expected names without a vertical bar"),
            (VmRequest("a\nb", 0, None, 1, 1, 1), r"expected a name that fits on a line"),
        ],
    )
    def test_names_that_have_no_place_in_it(self, tmp_path: Path, request_: VmRequest, text: str) -> None:
        with pytest.raises(TraceError, match=text):
            write_table(tmp_path / "t.csv", [request_])

    def test_another_kind_of_file(self, tmp_path: Path) -> None:
        with pytest.raises(TraceError, match=r"t.xlsx: expected a .csv or .parquet file"):
            write_table(tmp_path / "t.xlsx", [])


values = st.sampled_from(["", "0", "1", "2", "7", " 3", "+4", "1_0", "0x10", '"5"', "-1", "1.5", "x", "٣", "9" * 20])
memory = st.sampled_from(["", "0", "1", "0.5", "1e2", "nan", "inf", "-1", "1e400", "x", "0.0001"])
lines = st.one_of(
    st.tuples(values, values, values, memory, values).map(",".join),
    st.just("5,1,2,3,1"),
    st.sampled_from(["1", "1,2,3,4,5,6"]),
)


@settings(deadline=None)
@given(st.lists(lines, max_size=4), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "# a, \"b\n", "\ufeff"]))
def test_columns_of_a_file_say_what_its_rows_say_also_of_errors(
    tmp_path_factory: pytest.TempPathFactory, rows_: list[str], end: str, before: str
) -> None:
    folder = tmp_path_factory.mktemp("table")
    header = "id,arrival_ms,lifetime_ms,vcpu,mem_gib,gpus"
    lines = [f"{number},{row}" for number, row in enumerate(rows_)]
    (folder / "t.csv").write_bytes((before + end.join([header, "", *lines])).encode())
    trace = TableTrace(path="t.csv")
    outcomes: list[object] = []
    for way in (
        lambda: list(rows(blocks_of(trace.read(folder, Randomness(1))))),
        lambda: list(rows(trace.columns(folder, Randomness(1)))),
    ):
        try:
            outcomes.append(way())
        except TraceError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


def test_columns_do_not_look_at_ids_but_want_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,arrival_ms,lifetime_ms,vcpu,memory_mib\na,0,1,1,1\na,0,1,1,1\n")
    assert sum(len(block) for block in TableTrace(path="t.csv").blocks(tmp_path, Randomness(1))) == 2
    (tmp_path / "u.csv").write_text("arrival_ms,lifetime_ms,vcpu,memory_mib\n0,1,1,1\n")
    pq.write_table(pa.table({"arrival_ms": [0], "lifetime_ms": [1], "vcpu": [1]}), tmp_path / "u.parquet")
    for name in ("u.csv", "u.parquet"):
        with pytest.raises(TraceError, match="missing: id"):
            list(TableTrace(path=name).blocks(tmp_path, Randomness(1)))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("vcpu", [1, 0], r"t.parquet: row 2: vcpu: expected a whole number of at least 1, got 0"),
        ("arrival_ms", [5, 4], r"t.parquet: row 2: arrival_ms: expected at least 5, in the order of arrival, got 4"),
        ("gpu_milli", [1000, 1001], r"t.parquet: row 2: gpu_milli: expected .* at most 1000, got 1001"),
        ("lifetime_ms", [0, None], r"t.parquet: row 1: lifetime_ms: expected .* at least 1, got 0"),
        ("tags", [1, 2], r"t.parquet: tags: expected a column of strings, got int64"),
        ("memory_mib", [2**60, 1], r"t.parquet: row 1: memory_mib: expected .* at least 1, got 1152921504606846976"),
    ],
)
def test_a_wrong_value_in_a_parquet_file(tmp_path: Path, column: str, value: list[Any], text: str) -> None:
    good = {"id": ["a", "b"], "arrival_ms": [0, 0], "lifetime_ms": [1, 1], "vcpu": [1, 1], "memory_mib": [1, 1]}
    pq.write_table(pa.table(good | {column: value}), tmp_path / "t.parquet")
    for way in (TableTrace.requests, TableTrace.blocks):
        with pytest.raises(TraceError, match=text):
            list(way(TableTrace(path="t.parquet"), tmp_path, Randomness(1)))
