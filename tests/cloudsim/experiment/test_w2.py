"""Work in whole runs: W2's figures are met to the millisecond, and what happens to instances shows in their tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from cloudsim.experiment.checking import check
from cloudsim.experiment.errors import ScenarioError, TraceError
from cloudsim.experiment.reading import parse
from cloudsim.experiment.report import report
from cloudsim.experiment.result import RunResult
from cloudsim.experiment.run import run
from cloudsim.experiment.summary import summary
from cloudsim.experiment.tables import tables, write_tables
from cloudsim.experiment.traces.w2 import W2Trace
from cloudsim.randomness import Randomness

W2 = """\
name: w2
datacenter:
  inline:
    zones:
      - pods:
          - racks: [{count: 2, hosts: [{count: 8, cores: 64, mhz: 1000, memory_gib: 256}]}]
    fabric:
      host: {gbps: 10, latency_us: 0}
      rack: {gbps: 40, latency_us: 0}
      spine: {gbps: 100, latency_us: 0}
      core: {gbps: 100, latency_us: 0}
      management: {gbps: 10, latency_us: 0}
workload: {format: w2, vms: 120, tasks_per_vm: 3}
latency: zero
settings: {ping.interval: 3600}
until: last-task
"""

CROWDED = """\
name: crowded
datacenter:
  uniform: {racks: 1, hosts_per_rack: 2, host: {cores: 4, memory_gib: 16}}
workload:
  format: inline
  list: [{at: 0, vcpu: 2, memory_mib: 512, count: 8, work: [600, 200]}]
settings: {cpu.overprovisioning.factor: 4, ping.interval: 600}
latency: zero
until: last-task
"""

DRILL = """\
name: drill
datacenter:
  uniform: {racks: 1, hosts_per_rack: 2, host: {cores: 4, memory_gib: 16}}
workload:
  format: inline
  list:
    - {at: 0, memory_mib: 256, work: [300, 100]}
    - {at: 0, memory_mib: 256}
settings: {ping.interval: 60}
"""


def closed_form(lengths: tuple[int, ...]) -> list[int]:
    """When each task is done: f_j = f_(j-1) + (K - j + 1) (T_j - T_(j-1)), tasks by length."""
    ends, clock, before = [0] * len(lengths), 0, 0
    for place, (length, task) in enumerate(sorted((length, task) for task, length in enumerate(lengths))):
        clock += (len(lengths) - place) * (length - before)
        ends[task], before = clock, length
    return ends


def task_rows(result: RunResult) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables(result)["tasks"].to_pylist()
    return rows


@pytest.mark.parametrize(
    ("vms", "tasks", "mean_ms", "makespan_ms"),
    [
        (10_000, 1, 3_649_113.1, 7_259_619),
        (10_000, 4, 11_033_427.9, 26_649_812),
        (1_000, 1, 3_585_902.8, 7_257_675),
        (1_000, 4, 11_018_650.8, 25_846_132),
    ],
)
def test_the_workload_has_the_published_closed_form(
    vms: int, tasks: int, mean_ms: float, makespan_ms: int
) -> None:
    trace = W2Trace(vms=vms, tasks_per_vm=tasks)
    ends = [e for r in trace.requests(Path(), Randomness(7)) for e in closed_form(r.work_ms)]
    assert len(ends) == vms * tasks
    assert sum(ends) / len(ends) == pytest.approx(mean_ms, abs=0.06)
    assert max(ends) == makespan_ms


def test_another_seed_of_its_own_is_another_workload() -> None:
    def drawn(seed: int) -> list[tuple[int, ...]]:
        return [r.work_ms for r in W2Trace(vms=5, seed=seed).requests(Path(), Randomness(1))]

    assert drawn(42) == drawn(42) != drawn(43)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("w2") / "first")


def write(out: Path) -> Path:
    """A run's figures and tables, and its report without the plots, which tell nothing of work."""
    out.mkdir()
    result = run(parse(W2, "w2.yaml"))
    figures = summary(result)
    write_tables(result, out)
    (out / "summary.json").write_bytes(msgspec.json.encode(figures))
    (out / "report.html").write_text(report(result, figures, {}))
    return out


def test_every_task_of_a_whole_cloud_ends_in_the_very_millisecond(written: Path) -> None:
    rows = pq.read_table(written / "tasks.parquet").to_pylist()
    trace = W2Trace(vms=120, tasks_per_vm=3)
    expected = {
        (request.id, task): (length, 0.0, end / 1000)
        for request in trace.requests(Path(), Randomness(0))
        for task, (length, end) in enumerate(zip(request.work_ms, closed_form(request.work_ms), strict=True))
    }
    assert {
        (row["request"], row["task"]): (row["length_ms"], row["began_s"], row["finished_s"]) for row in rows
    } == expected
    figures = msgspec.json.decode((written / "summary.json").read_bytes())
    ends = [end for _, _, end in expected.values()]
    assert figures["work"]["finished"] == figures["work"]["tasks"] == 360
    assert figures["work"]["mean_finish_s"] == pytest.approx(sum(ends) / 360, abs=1e-6)
    assert figures["work"]["makespan_s"] == figures["simulated_s"] == max(ends)
    slowdowns = [1000 * end / length for length, _, end in expected.values()]
    assert figures["work"]["mean_slowdown"] == pytest.approx(sum(slowdowns) / 360, abs=1e-6)
    assert ">Mean slowdown</td>" in (written / "report.html").read_text()


def test_the_same_seed_gives_the_same_bytes(written: Path) -> None:
    again = write(written.parent / "again")
    assert (written / "tasks.parquet").exists()
    for file in written.iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes(), file.name


def test_runs_without_work_have_no_table_and_no_figures_of_it() -> None:
    result = run(parse(DRILL.replace(", work: [300, 100]", "") + "until: 100\n"))
    assert "tasks" not in tables(result) and "work" not in summary(result)


def test_overcommitted_cores_are_shared_and_none_idles() -> None:
    result = run(parse(CROWDED))
    assert summary(result)["work"]["finished"] == 16
    placed = result.outcomes.host
    for host in set(placed):
        ends = {
            row["finished_s"]
            for row in task_rows(result)
            if placed[int(row["request"]) - 1] == host and row["task"] == 0
        }
        vcpus = 2 * placed.count(host)
        assert len(ends) == 1 and ends.pop() == pytest.approx(800 * max(1, vcpus / 4), abs=0.01)
    assert max(placed.count(host) for host in set(placed)) > 2, "some host is overcommitted"


def test_a_stopped_instance_begins_again_what_was_not_done() -> None:
    operations = """\
operations:
  - {operation: stop, request: 1, at: 250}
  - {operation: start, request: 1, at: 1000}
  - {operation: reboot, request: 1, at: 1100}
latency: zero
until: 1450
"""
    result = run(parse(DRILL + operations))
    long, short = task_rows(result)
    assert short["finished_s"] == pytest.approx(200, abs=0.01)
    assert long["began_s"] == pytest.approx(0, abs=0.01), "when it first began"
    assert long["finished_s"] == pytest.approx(1400, abs=0.01)
    assert summary(result)["work"]["begun_again"] == 2
    assert summary(result)["work"]["mean_slowdown"] == pytest.approx((2 + 1400 / 300) / 2, abs=0.001)


def test_a_run_ends_when_no_instance_with_a_host_has_work_left() -> None:
    stopped = "operations: [{operation: stop, request: 1, at: 250}]\nuntil: last-task\n"
    result = run(parse(DRILL + stopped))
    long, short = task_rows(result)
    assert short["finished_s"] is not None and long["finished_s"] is None
    assert 250 <= result.simulated < 300
    assert summary(result)["work"]["finished"] == 1


def test_a_host_that_dies_takes_the_work_that_was_not_done() -> None:
    crash = 'faults: [{fault: HostCrash, host: "*", at: 150, duration: 3600}]\nuntil: 2000\n'
    result = run(parse(DRILL + crash))
    assert [row["finished_s"] for row in task_rows(result)] == [None, None]
    assert all(row["began_s"] > 0 for row in task_rows(result)), "a guest boots first"


def test_instances_can_be_destroyed_when_their_work_is_done() -> None:
    text = DRILL.replace("work:", "lifetime: 20, work:") + "destroy_after: work\nuntil: last-departure\n"
    result = run(parse(text))
    end = max(row["finished_s"] for row in task_rows(result))
    first, second = result.outcomes.gone_at
    assert first is not None and end < first < end + 30, "a shutdown later, whatever its lifetime"
    assert second is None, "it has no work, and no lifetime"


def test_work_that_is_over_before_the_deployment_is_answered_ends_its_instance_too() -> None:
    text = DRILL.replace("[300, 100]", "[0.001]") + "destroy_after: work\nuntil: last-departure\n"
    text += "latency: {agent_message: 0.5}\n"
    result = run(parse(text))
    assert task_rows(result)[0]["finished_s"] < (result.outcomes.running_at[0] or 0)
    assert result.outcomes.gone_at[0] is not None


def test_an_instance_that_lost_its_host_is_not_waited_for() -> None:
    text = DRILL + "operations: [{operation: stop, request: 1, at: 250}]\n"
    result = run(parse(text + "destroy_after: work\nuntil: last-departure\n"))
    assert 250 <= result.simulated < 300 and result.outcomes.gone_at == [None, None]


@pytest.mark.parametrize("line", ["until: last-task", "destroy_after: work"])
def test_a_workload_without_work_cannot_be_followed_by_it(line: str) -> None:
    text = DRILL.replace(", work: [300, 100]", "") + f"{line}\n"
    with pytest.raises(ScenarioError, match=r"scenario:10: \w+: .* no request of the workload has work"):
        check(parse(text))


def test_a_task_longer_than_a_guest_can_be_told_is_an_error() -> None:
    with pytest.raises(TraceError, match=r"request 1: work_ms: expected lengths from 1 to 10+ ms"):
        check(parse(DRILL.replace("[300, 100]", "[300, 1.0e+13]") + "until: last-task\n"))


def test_a_backend_that_cannot_tell_of_work_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    class Silent:
        def close(self) -> None:
            closed.append(self)

    class Backend:
        @staticmethod
        def create(*_: Any, **__: Any) -> Silent:
            return Silent()

    monkeypatch.setattr("cloudsim.experiment.run.backend", lambda name: Backend)
    with pytest.raises(ScenarioError, match="the backend elsewhere cannot say when instances have done their work"):
        run(parse(DRILL), on="elsewhere")
    assert closed
