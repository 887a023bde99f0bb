"""Alibaba's and Google's clusters, and logs of batch systems: what becomes of containers, tasks, instances and jobs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.alibaba import AlibabaContainersTrace, AlibabaTasksTrace
from cloudsim.experiment.traces.google import GoogleTrace
from cloudsim.experiment.traces.swf import SwfTrace
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows, read


class TestAlibabaContainers:
    def trace(self, folder: Path, *lines: str, **options: Any) -> AlibabaContainersTrace:
        (folder / "container_meta.csv").write_text("\n".join(lines) + "\n")
        return AlibabaContainersTrace(path="container_meta.csv", memory_mib=1000, **options)

    def test_lines_of_a_container_are_its_life(self, tmp_path: Path) -> None:
        trace = self.trace(
            tmp_path,
            "c_1,m_2556,60,app_5052,started,400,400,1.56",
            "c_2,m_1,30,app_1,started,50,100,50",
            "c_1,m_2556,90,app_5052,stopped,400,400,1.56",
            "c_2,m_1,10,app_1,allocated,50,100,3.2",
        )
        assert assert_columns_are_the_rows(trace, tmp_path) == [
            VmRequest("c_2", 0, None, 1, 500, 32, tenant="app_1"),
            VmRequest("c_1", 50_000, 30_000, 4, 1000, 32, tenant="app_5052"),
        ]

    def test_one_that_starts_again_runs_on(self, tmp_path: Path) -> None:
        lines = [f"c_1,m,{t},app,{s},150,0,100" for t, s in ((5, "stopped"), (9, "started"), (1, "started"))]
        trace = self.trace(tmp_path, *lines, spread=True)
        assert read(trace, tmp_path) == [
            VmRequest("c_1", 0, None, 2, 750, 1000, tenant="app", anti_affinity=("app",))
        ]

    def test_sizes_that_are_not_valid_are_left_out(self, tmp_path: Path) -> None:
        sizes = ("0,0,1", "-1,0,1", "100,0,-1", "100,0,101", ",,1", "100,0,0")
        trace = self.trace(tmp_path, *(f"c_{i},m,0,a,started,{size}" for i, size in enumerate(sizes)))
        assert read(trace, tmp_path) == []

    def test_malformed_lines(self, tmp_path: Path) -> None:
        with pytest.raises(TraceError, match=r"container_meta.csv:1: time_stamp: expected a whole number, got 'x'"):
            read(self.trace(tmp_path, "c_1,m,x,app,started,1,1,1"), tmp_path)
        with pytest.raises(TraceError, match=r"container_meta.csv:1: mem_size: expected a number"):
            read(self.trace(tmp_path, "c_1,m,1,app,started,1,1,much"), tmp_path)


class TestAlibabaTasks:
    LINES = (
        "M1,2,j_1,1,Terminated,100,160,150.0,0.5\n"
        "R2_1,1,j_1,1,Running,50,0,100.0,10\n"
        "M1,1,j_2,1,Waiting,0,0,100.0,0.5\n"
        "M2,1,j_2,1,Terminated,9,9,,\n"
    )

    def test_a_task_is_a_request_or_each_of_its_instances_is(self, tmp_path: Path) -> None:
        (tmp_path / "batch_task.csv").write_text(self.LINES)
        running = VmRequest("j_1.R2_1", 0, None, 1, 1000, 100, tenant="j_1")
        done = VmRequest("j_1.M1", 50_000, 60_000, 2, 750, 32, tenant="j_1")
        trace = AlibabaTasksTrace(path="batch_task.csv", memory_mib=1000)
        assert assert_columns_are_the_rows(trace, tmp_path) == [running, done]
        each = read(AlibabaTasksTrace(path="batch_task.csv", memory_mib=1000, instances=True), tmp_path)
        assert [r.id for r in each] == ["j_1.R2_1.1", "j_1.M1.1", "j_1.M1.2"]

    def test_an_end_before_the_beginning(self, tmp_path: Path) -> None:
        (tmp_path / "batch_task.csv").write_text("M1,2,j_1,1,Terminated,100,99,150.0,0.5\n")
        with pytest.raises(TraceError, match=r":1: end_time: expected at least the start_time 100, or 0, got 99"):
            read(AlibabaTasksTrace(path="batch_task.csv", memory_mib=1000), tmp_path)


def event(time: int, kind: int | str, job: int = 5, index: int = 0, **more: Any) -> dict[str, Any]:
    size = {"resource_request": {"cpus": 0.01, "memory": 0.5}}
    return {"time": time, "type": kind, "collection_id": str(job), "instance_index": index} | size | more


class TestGoogle:
    def trace(self, folder: Path, *events: dict[str, Any], **options: Any) -> GoogleTrace:
        with gzip.open(folder / "instance_events-0.json.gz", "wt") as file:
            file.writelines(json.dumps(each) + "\n" for each in events)
        return GoogleTrace(path="instance_events-0.json.gz", cores=50, memory_mib=1000, **options)

    def test_an_instance_lives_from_its_scheduling_to_its_end(self, tmp_path: Path) -> None:
        trace = self.trace(
            tmp_path,
            event(9_000_000, "FINISH"),
            event(2_000_000, "SUBMIT"),
            event(4_000_000, "3"),
            event(3_000_000, 2, job=6),
            event(1_500_000, 0, job=7),
            event(1_500_000, 3, job=7, index=2),
        )
        assert assert_columns_are_the_rows(trace, tmp_path) == [
            VmRequest("7.2", 0, None, 1, 500, 500),
            VmRequest("5.0", 500, 5000, 1, 500, 500),
        ]

    def test_evicted_and_scheduled_again_it_lives_on(self, tmp_path: Path) -> None:
        times = ((0, 0), (1_000_000, 3), (2_000_000, 4), (3_000_000, 3), (7_000_000, 6))
        (only,) = read(self.trace(tmp_path, *(event(t, k) for t, k in times)), tmp_path)
        assert only.lifetime_ms == 6000
        (only,) = read(self.trace(tmp_path, *(event(t, k) for t, k in times[:-1])), tmp_path)
        assert only.lifetime_ms is None
        (only,) = read(self.trace(tmp_path, *(event(t, k) for t, k in times[:-1]), event(2**63 - 1, 6)), tmp_path)
        assert only.lifetime_ms is None

    def test_what_runs_inside_of_a_reservation_is_not_counted_twice(self, tmp_path: Path) -> None:
        inside = event(0, 3, job=1, alloc_collection_id="9", collection_type="0")
        alloc = event(0, 3, job=9, collection_type="ALLOC_SET")
        plain = event(0, 3, job=2, alloc_collection_id=0)
        for kind, ids in (("reservations", {"9.0", "2.0"}), ("tasks", {"1.0", "2.0"}), ("allocs", {"9.0"})):
            assert {r.id for r in read(self.trace(tmp_path, inside, alloc, plain, kind=kind), tmp_path)} == ids

    def test_csv_files_of_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "cell").mkdir()
        for name, column in (("a", "resource_request.cpus,resource_request.memory"), ("b", "cpus,memory")):
            (tmp_path / "cell" / f"{name}.csv").write_text(
                f"time,type,collection_id,instance_index,{column}\n3000,SCHEDULE,{ord(name)},0,0.02,0.1\n"
            )
        found = read(GoogleTrace(path="cell", cores=100, memory_mib=1000), tmp_path)
        assert found == [VmRequest("97.0", 0, None, 2, 1000, 100), VmRequest("98.0", 0, None, 2, 1000, 100)]

    @pytest.mark.parametrize(
        ("wrong", "text"),
        [
            (event(0, "START"), r"json.gz:1: type: expected 0 to 10 or one of SUBMIT, .* got 'START'"),
            (event(-1, 0), r"json.gz:1: time: expected microseconds from 0 on, got -1"),
            (event(0, 0, resource_request={"cpus": 7.0, "memory": 1}), r":1: resource_request: expected fractions"),
            ({"time": 5}, r"json.gz:1: expected an instance event as JSON"),
        ],
    )
    def test_malformed_events(self, tmp_path: Path, wrong: dict[str, Any], text: str) -> None:
        with pytest.raises(TraceError, match=text):
            read(self.trace(tmp_path, wrong), tmp_path)


class TestSwf:
    JOBS = (
        "; Computer: a cluster\n"
        "1 0 5 60 4 -1 2048 8 100 -1 1 3 1 1 1 1 -1 -1\n"
        "   2 10 5 0.5 4 -1 -1 -1 -1 -1 1 -1 1 1 1 1 -1 -1\n"
        "3 20 5 -1 4 -1 -1 -1 -1 -1 5 3 1 1 1 1 -1 -1\n"
        "4 20 5 10 0 -1 -1 -1 -1 -1 5 3 1 1 1 1 -1 -1\n"
        "5 30 5 10 10 -1 -1 -1 -1 1024 1 3 1 1 1 1 -1 -1\n"
    )

    def test_fields(self, tmp_path: Path) -> None:
        (tmp_path / "log.swf").write_text(self.JOBS)
        assert assert_columns_are_the_rows(SwfTrace(path="log.swf"), tmp_path) == [
            VmRequest("1", 0, 60_000, 8, 1000, 32, tenant="3", expected_ms=100_000),
            VmRequest("2", 10_000, 1000, 4, 1000, 4096),
            VmRequest("5", 30_000, 10_000, 10, 1000, 32, tenant="3"),
        ]

    def test_wide_jobs_become_several_instances(self, tmp_path: Path) -> None:
        (tmp_path / "log.swf").write_text(self.JOBS)
        found = read(SwfTrace(path="log.swf", most_cpus=4, memory_mib_per_cpu=100), tmp_path)
        assert [(r.id, r.cpus) for r in found] == [
            *(("1.1", 4), ("1.2", 4), ("2", 4)),
            *(("5.1", 3), ("5.2", 3), ("5.3", 4)),
        ]
        assert found[2].memory_mib == 400

    def test_it_may_be_compressed(self, tmp_path: Path) -> None:
        with gzip.open(tmp_path / "log.swf.gz", "wt") as file:
            file.write(self.JOBS)
        assert len(read(SwfTrace(path="log.swf.gz"), tmp_path)) == 3

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("1 2 3", r"log.swf:2: expected 18 fields, got 3"),
            ("1 9 5 x 4 -1 2048 8 -1 -1 1 3 1 1 1 1 -1 -1", r"log.swf:2: run_time: expected a number"),
            ("1 9 5 -7 4 -1 2048 8 -1 -1 1 3 1 1 1 1 -1 -1", r"run_time: expected .* not negative, or -1, got '-7'"),
            ("1 0 5 60 4 -1 2048 8 -1 -1 1 3 1 1 1 1 -1 -1", r"log.swf:2: submit_time: expected at least 5"),
        ],
    )
    def test_malformed_lines(self, tmp_path: Path, line: str, text: str) -> None:
        (tmp_path / "log.swf").write_text(f"1 5 5 60 4 -1 2048 8 -1 -1 1 3 1 1 1 1 -1 -1\n{line}\n")
        with pytest.raises(TraceError, match=text):
            read(SwfTrace(path="log.swf"), tmp_path)
