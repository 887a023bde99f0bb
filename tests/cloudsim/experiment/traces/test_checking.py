"""Checking a trace finds more than the first error, each with its place."""

from __future__ import annotations

from pathlib import Path

from cloudsim.experiment.traces.checking import check
from cloudsim.experiment.traces.huawei_east import HuaweiEastTrace
from cloudsim.experiment.traces.inline import InlineRequest, InlineTrace
from cloudsim.experiment.traces.swf import SwfTrace
from cloudsim.experiment.traces.table import TableTrace
from cloudsim.randomness import Randomness

HEADER = "id,arrival_ms,lifetime_ms,vcpu,memory_mib,gpus,gpu_milli\n"


def test_all_that_is_wrong_in_a_file_is_found_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        HEADER
        + "a,0,1,1,64,0,\nb,0,0,1,64,0,\nc,x,1,1,64,0,\na,1,1,1,64,0,\nd,1,1,1\ne,0,1,1,64,0,\nf,2,1,0,64,0,\ng,3,,1,64,0,\n"
    )
    found = check(TableTrace(path="t.csv"), tmp_path, Randomness(1))
    path = tmp_path / "t.csv"
    assert found.errors == (
        f"{path}:3: lifetime_ms: expected at least 1, got '0'",
        f"{path}:4: arrival_ms: expected a whole number, got 'x'",
        f"{path}:5: id: expected a name that no earlier row has, got 'a'",
        f"{path}:6: expected 7 columns, got 4",
        f"{path}:8: vcpu: expected at least 1, got '0'",
    )
    assert found.requests == 3
    assert check(TableTrace(path="t.csv"), tmp_path, Randomness(1), most=2).errors == found.errors[:2]


def test_errors_that_have_no_line_end_the_search(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,arrival_ms\n")
    assert len(check(TableTrace(path="t.csv"), tmp_path, Randomness(1)).errors) == 1
    (tmp_path / "t.parquet").write_text("")
    (error,) = check(TableTrace(path="t.parquet"), tmp_path, Randomness(1)).errors
    assert "not a Parquet file" in error


def test_formats_that_do_not_look_for_ids_that_are_twice_there(tmp_path: Path) -> None:
    job = "7 0 5 60 4 -1 2048 8 100 -1 1 3 1 1 1 1 -1 -1\n"
    (tmp_path / "l.swf").write_text(job * 3 + "8 0\n")
    found = check(SwfTrace(path="l.swf"), tmp_path, Randomness(1))
    assert found.errors == (
        f"{tmp_path / 'l.swf'}:4: expected 18 fields, got 2",
        "request 2 (7): id: expected a name that no earlier request has",
        "request 3 (7): id: expected a name that no earlier request has",
    )


def test_a_format_that_reads_its_file_twice(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("vmid,cpu,memory,time,type\n1,2,4,10,0\n9,2,4,10,1\n2,0,4,11,0\n")
    found = check(HuaweiEastTrace(path="h.csv"), tmp_path, Randomness(1))
    assert [error.split(": expected")[0].rpartition("/")[2] for error in found.errors] == ["h.csv:3: vmid", "h.csv:4: cpu"]
    assert found.requests == 1


def test_what_a_full_run_would_refuse_is_noted(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEADER + "a,0,1,1,16,0,\nb,0,1,1,64,2,500\n")
    found = check(TableTrace(path="t.csv"), tmp_path, Randomness(1))
    assert found.errors == ()
    assert found.notes == (
        "requests of less than 32 MiB, which a full run refuses and a replay does not: 1",
        "requests of parts of several GPUs, which a full run refuses and a replay does not: 1",
    )


def test_nothing_is_not_a_trace(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEADER)
    assert check(TableTrace(path="t.csv"), tmp_path, Randomness(1)).errors == ("expected at least one request",)


def test_what_no_request_may_say_whatever_its_format() -> None:
    trace = InlineTrace(list=(InlineRequest(at=0, memory_mib=0), InlineRequest(at=0, memory_mib=64)))
    found = check(trace, Path(), Randomness(1))
    assert found.errors == ("request 1 (1): memory_mib: expected at least 1, got 0",)
