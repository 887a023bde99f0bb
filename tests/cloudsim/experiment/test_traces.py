"""Traces: what the readers make of small files, and what they say of malformed ones."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces import FORMATS, Trace
from cloudsim.experiment.traces.azure import AzureTrace
from cloudsim.experiment.traces.bitbrains import BitbrainsTrace
from cloudsim.experiment.traces.generated import Flavour, Lifetime, PoissonTrace
from cloudsim.experiment.traces.huawei_east import HuaweiEastTrace
from cloudsim.experiment.traces.openb import OpenbTrace, host_groups
from cloudsim.experiment.traces.surf import SurfTrace
from cloudsim.experiment.traces.table import TableTrace, write_csv
from cloudsim.experiment.traces.w1 import W1Trace, blocks, warm_requests
from cloudsim.randomness import Randomness

PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"


def read(trace: Trace, folder: Path) -> list[VmRequest]:
    return list(trace.requests(folder, Randomness(1)))


def surf(folder: Path, **columns: list[Any]) -> SurfTrace:
    rows = {
        "id": [7, 8],
        "submission_time": [2_000_000, 1_000_000],
        "duration": [1000, 60_000],
        "cpu_count": [16, 16],
        "cpu_capacity": [33_600.0, 33_601.0],
        "mem_capacity": [100_000, 1],
    } | columns
    pq.write_table(pa.table(rows), folder / "tasks.parquet")
    return SurfTrace(path="tasks.parquet")


class TestSurf:
    def test_units_and_order(self, tmp_path: Path) -> None:
        first, second = read(surf(tmp_path), tmp_path)
        assert first == VmRequest("8", 0, 60_000, 16, 2101, 1)  # the MHz of a core and the MiB are rounded up
        assert second == VmRequest("7", 1_000_000, 1000, 16, 2100, 95_368)

    def test_start_and_limit_count_from_the_first_one_taken(self, tmp_path: Path) -> None:
        trace = surf(tmp_path)
        (only,) = read(SurfTrace(path=trace.path, start=1, limit=1), tmp_path)
        assert (only.id, only.arrival_ms) == ("7", 0)

    def test_a_malformed_row_is_named(self, tmp_path: Path) -> None:
        trace = surf(tmp_path, cpu_count=[16, 0])
        with pytest.raises(
            TraceError, match=r"tasks.parquet: row 2: cpu_count: expected .* at least 1, got 0"
        ):
            read(trace, tmp_path)

    def test_a_missing_value_is_named(self, tmp_path: Path) -> None:
        trace = surf(tmp_path, duration=[None, 5])
        with pytest.raises(TraceError, match=r"row 1: duration: expected a whole number .* got None"):
            read(trace, tmp_path)

    def test_a_missing_column_is_named(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"id": [1]}), tmp_path / "tasks.parquet")
        with pytest.raises(TraceError, match="missing: submission_time, duration"):
            read(SurfTrace(path="tasks.parquet"), tmp_path)

    def test_a_column_of_another_type_is_named(self, tmp_path: Path) -> None:
        trace = surf(tmp_path, mem_capacity=["much", "more"])
        with pytest.raises(TraceError, match="mem_capacity: expected a column of whole numbers, got string"):
            read(trace, tmp_path)

    def test_a_missing_file_says_where_the_trace_is(self, tmp_path: Path) -> None:
        with pytest.raises(
            TraceError, match=r"nothing.parquet: there is no such file. .*atlarge-research/opendc"
        ):
            read(SurfTrace(path="nothing.parquet"), tmp_path)

    def test_no_parquet_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "tasks.parquet").write_text("id,duration\n")
        with pytest.raises(TraceError, match="not a Parquet file"):
            read(SurfTrace(path="tasks.parquet"), tmp_path)


class TestOpenb:
    def pods(self, folder: Path, *rows: str) -> OpenbTrace:
        (folder / "pods.csv").write_text("\n".join((PODS, *rows)) + "\n")
        return OpenbTrace(path="pods.csv")

    def test_units(self, tmp_path: Path) -> None:
        trace = self.pods(
            tmp_path,
            "a,3500,1024,1,460,V100M16|T4,LS,Running,5,65,6",
            "b,32000,2048,0,0,,BE,Pending,7,,",
            "c,1,0,8,1000,,BE,Running,9,9,9",
        )
        a, b, c = read(trace, tmp_path)
        assert a == VmRequest("a", 0, 60_000, 4, 875, 1024, 1, 460, ("V100M16", "T4"))
        assert b == VmRequest("b", 2000, None, 32, 1000, 2048)
        assert c == VmRequest("c", 4000, 1, 1, 1, 32, 8, 1000)

    @given(st.integers(1, 200_000))
    def test_a_reservation_is_never_smaller_and_hardly_larger(self, milli: int) -> None:
        cpus = -(-milli // 1000)
        mhz = -(-milli // cpus)
        assert milli <= cpus * mhz < milli + cpus
        assert mhz <= 1000

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            ("a,x,1,0,0,,LS,R,5,6,5", r"pods.csv:2: cpu_milli: expected a whole number, got 'x'"),
            ("a,1,1,1,2000,,LS,R,5,6,5", r":2: gpu_milli: expected at most 1000"),
            ("a,1,1,0,0,,LS,R,5,4,5", r":2: deletion_time: expected at least the creation_time 5"),
            ("a,1,1,0", r":2: expected 11 columns, got 4"),
            (",1,1,0,0,,LS,R,5,6,5", r":2: name: expected a name"),
        ],
    )
    def test_malformed_rows(self, tmp_path: Path, row: str, text: str) -> None:
        with pytest.raises(TraceError, match=text):
            read(self.pods(tmp_path, row), tmp_path)

    def test_rows_out_of_order(self, tmp_path: Path) -> None:
        trace = self.pods(tmp_path, "a,1,1,0,0,,LS,R,5,6,5", "b,1,1,0,0,,LS,R,4,6,5")
        with pytest.raises(TraceError, match=r":3: creation_time: expected at least 5"):
            read(trace, tmp_path)

    def test_nodes(self, tmp_path: Path) -> None:
        path = tmp_path / "nodes.csv"
        path.write_text(
            "sn,cpu_milli,memory_mib,gpu,model\nn0,32000,1024,0,\nn1,32000,1024,0,\nn2,96000,2048,8,G2\n"
        )
        assert host_groups(path) == [
            {"count": 2, "cores": 32, "mhz": 1000, "memory_mib": 1024},
            {"count": 1, "cores": 96, "mhz": 1000, "memory_mib": 2048, "gpus": 8, "gpu_model": "G2"},
        ]
        path.write_text("sn,cpu_milli,memory_mib,gpu,model\nn0,32000,1024,2,\n")
        with pytest.raises(TraceError, match=r"nodes.csv:2: model: expected a name"):
            host_groups(path)


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

    names = st.text(
        st.characters(codec="utf-8", exclude_characters="|\x00\r\n", exclude_categories=["Cs", "Cc"]),
        min_size=1,
    )
    shapes = st.tuples(
        st.one_of(st.none(), st.integers(1, 10**12)),
        st.integers(1, 512),
        st.integers(1, 5000),
        st.integers(1, 10**7),
        st.integers(0, 16),
        st.integers(1, 1000),
        st.lists(names, max_size=3).map(tuple),
        st.lists(names, max_size=3).map(tuple),
    )

    @given(st.lists(st.tuples(names, st.integers(0, 10**9), shapes), max_size=20, unique_by=lambda r: r[0]))
    def test_what_is_written_is_read(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, tuple[Any, ...]]]
    ) -> None:
        folder = tmp_path_factory.mktemp("table")
        clock = 0
        requests = []
        for name, gap, shape in rows:
            requests.append(VmRequest(name, clock, *shape))
            clock += gap
        assert write_csv(folder / "t.csv", requests, "two\nlines") == len(requests)
        assert read(TableTrace(path="t.csv"), folder) == requests
        columns = {
            "id": [r.id for r in requests],
            "arrival_ms": [r.arrival_ms for r in requests],
            "lifetime_ms": pa.array([r.lifetime_ms for r in requests], pa.int64()),
            "vcpu": [r.cpus for r in requests],
            "cpu_mhz": [r.cpu_mhz for r in requests],
            "memory_mib": [r.memory_mib for r in requests],
            "gpus": [r.gpus for r in requests],
            "gpu_milli": [r.gpu_milli for r in requests],
            "gpu_models": ["|".join(r.gpu_models) for r in requests],
            "tags": ["|".join(r.tags) for r in requests],
        }
        if requests:
            pq.write_table(pa.table(columns), folder / "t.parquet")
            assert read(TableTrace(path="t.parquet"), folder) == requests


class TestW1:
    def test_it_is_the_published_workload(self) -> None:
        digest = hashlib.md5(b"id,arrival_ms,lifetime_ms,vcpu,mem_gib\n")
        count = 0
        for r in W1Trace(hosts=1000, requests_after_warm_start=10_000).read(Path(), Randomness(1)):
            row = f"{r.id},{r.arrival_ms},{r.lifetime_ms},{r.cpus},{r.memory_mib // 1024}\n"
            digest.update(row.encode())
            count += 1
        assert count == 25_515
        assert digest.hexdigest() == "14a4db84e73ac93f0c8ade9b20e7a14f"

    def test_blocks_do_not_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = [tuple(zip(*block, strict=True)) for block in blocks(10, 500)]
        monkeypatch.setattr("cloudsim.experiment.traces.w1._BLOCK", 64)
        parts = [row for block in blocks(10, 500) for row in zip(*block, strict=True)]
        assert len(whole) == 1
        assert list(whole[0]) == parts

    def test_the_warm_start(self) -> None:
        assert warm_requests(1000) == 15_515


class TestGenerated:
    trace = PoissonTrace(
        requests_in_all=6000,
        per_hour=120,
        warm_start=100,
        lifetime=Lifetime(mean=3600),
        flavours=(Flavour(vcpu=1, memory_mib=1024, weight=3), Flavour(vcpu=4, memory_mib=4096)),
    )

    def test_rates_and_means_are_those_asked_for(self) -> None:
        requests = read(self.trace, Path())
        assert [r.arrival_ms for r in requests[:100]] == [0] * 100
        hours = requests[-1].arrival_ms / 3.6e6
        assert 5900 / hours == pytest.approx(120, rel=0.05)
        lifetimes = [r.lifetime_ms or 0 for r in requests]
        assert sum(lifetimes) / len(lifetimes) == pytest.approx(3.6e6, rel=0.05)
        assert sum(r.cpus == 1 for r in requests) / len(requests) == pytest.approx(0.75, abs=0.03)

    def test_the_seed_decides(self) -> None:
        assert read(self.trace, Path()) == read(self.trace, Path())
        other = list(self.trace.requests(Path(), Randomness(2)))
        assert other != read(self.trace, Path())

    def test_the_day_swings(self) -> None:
        trace = PoissonTrace(
            requests_in_all=20_000,
            per_hour=400,
            daily_swing=0.9,
            lifetime=Lifetime(mean=60, distribution="lognormal", sigma=1.5),
            flavours=(Flavour(vcpu=1, memory_mib=1024),),
        )
        hour_of_day = [r.arrival_ms // 3_600_000 % 24 for r in read(trace, Path())]
        assert sum(h in (11, 12) for h in hour_of_day) > 8 * sum(h in (23, 0) for h in hour_of_day)

    def test_lifetimes_can_be_endless_and_arrivals_denser(self) -> None:
        few = {
            "requests_in_all": 10,
            "per_hour": 60.0,
            "lifetime": Lifetime(mean=9),
            "flavours": self.trace.flavours,
        }
        plain = read(PoissonTrace(**few), Path())
        dense = read(PoissonTrace(**few, interarrival=0.5, lifetimes="endless"), Path())
        assert [round(r.arrival_ms / 2) for r in plain] == [r.arrival_ms for r in dense]
        assert all(r.lifetime_ms is None for r in dense)
        even = read(PoissonTrace(**few, every_ms=250), Path())
        assert [r.arrival_ms for r in even] == [250 * i for i in range(10)]


class TestOtherFormats:
    def test_bitbrains(self, tmp_path: Path) -> None:
        start = dt.datetime(2013, 8, 12, 13, 35, 46, tzinfo=dt.UTC)
        table = pa.table(
            {
                "id": ["141"],
                "start_time": pa.array([start], pa.timestamp("ms", tz="UTC")),
                "stop_time": pa.array([start + dt.timedelta(seconds=90)], pa.timestamp("ms", tz="UTC")),
                "cpu_count": [2],
                "cpu_capacity": [5851.998636],
                "mem_capacity": [8_388_608],
            }
        )
        pq.write_table(table, tmp_path / "meta.parquet")
        assert read(BitbrainsTrace(path="meta.parquet"), tmp_path) == [
            VmRequest("141", 0, 90_000, 2, 2926, 8192)
        ]

    def test_azure(self, tmp_path: Path) -> None:
        (tmp_path / "vmtable.csv").write_text(
            "v1,s,d,600,900,9,1,5,Unknown,2,3.5\nv2,s,d,0,2591700,9,1,5,Interactive,>24,>64\n"
        )
        v2, v1 = read(AzureTrace(path="vmtable.csv", end=2_591_700), tmp_path)
        assert v2 == VmRequest("v2", 0, None, 30, 1000, 70 * 1024)
        assert v1 == VmRequest("v1", 600_000, 300_000, 2, 1000, 3584)

    def test_huawei_east(self, tmp_path: Path) -> None:
        path = tmp_path / "h.csv"
        path.write_text("vmid,cpu,memory,time,type\n1,2,4,10,0\n2,1,1,12,0\n1,2,4,15,1\n")
        trace = HuaweiEastTrace(path="h.csv")
        assert read(trace, tmp_path) == [
            VmRequest("1", 0, 5000, 2, 1000, 4096),
            VmRequest("2", 2000, None, 1, 1000, 1024),
        ]
        path.write_text("vmid,cpu,memory,time,type\n1,2,4,10,1\n")
        with pytest.raises(TraceError, match=r"h.csv:2: vmid: expected a VM that exists, got '1'"):
            read(trace, tmp_path)

    def test_every_format_has_a_name(self) -> None:
        assert set(FORMATS) == {
            "azure-vmtable",
            "bitbrains",
            "huawei-east-1",
            "inline",
            "openb",
            "planetlab",
            "poisson",
            "surf",
            "table",
            "w1",
        }
