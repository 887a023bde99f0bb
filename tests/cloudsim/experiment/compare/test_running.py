"""Runs: side by side or one after the other the same, kept as they are done, and not done again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.compare import Done, Records, analyse, check, parse, run_all
from cloudsim.experiment.compare.pace import Pace
from cloudsim.experiment.compare.running import RunFailed
from cloudsim.placement import PlacementRequest, Policy
from cloudsim.placement.arrays import HostArrays, Mask
from tests.cloudsim.experiment.compare.comparing import SPEC, Memory, compared


class Moody(Policy):
    """Breaks, or says that it cannot, on a request of sixteen cores."""

    broken: bool = False

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        if request.cpus == 16:
            raise RuntimeError("out of order") if self.broken else InvalidParameterValue("no such large ones")
        return int(feasible.argmax())


MOODY = f"{__name__}:Moody"


def test_records_are_in_the_order_of_the_plan_and_know_what_they_are_of() -> None:
    plan, (result,) = compared(SPEC)
    assert [(row.policy, len(row.records)) for row in result.rows] == [
        ("first-fit", 4),
        ("best-fit", 4),
        ("best-fit,norm=linf", 4),
        ("random", 4),
    ]
    for row in result.rows:
        assert [record.seed for record in row.records] == [1, 2, 3, 4]
        for record in row.records:
            assert record.requests == 455 and record.placed + sum(record.rejected.values()) == 455
            assert record.table().shape == (480, 14)
    digests = {record.trace_digest for row in result.rows for record in row.records}
    assert len(digests) == 4, "the same requests for every policy under a seed"
    assert plan.cases[0].metrics[-1] == "energy_kwh"


def test_runs_are_the_same_side_by_side() -> None:
    plan, (result,) = compared(SPEC)
    records = run_all(plan, Memory(), jobs=2, clock=time.process_time)
    alone = [record for row in result.rows for record in row.records]
    assert {(r.key, r.check, r.sums, r.shots) for r in records} == {(r.key, r.check, r.sums, r.shots) for r in alone}


def test_what_is_done_is_kept_and_not_done_again(tmp_path: Path) -> None:
    plan = check(parse(SPEC))
    records = Records(tmp_path / "runs")

    class Stopped(Exception):
        pass

    done: list[Done] = []

    def stop(each: Done) -> None:
        done.append(each)
        if len(done) == 5:
            raise Stopped

    with pytest.raises(Stopped):
        run_all(plan, records, progress=stop)
    assert len(list((tmp_path / "runs").iterdir())) == 5
    again: list[Done] = []
    found = run_all(plan, records, resume=True, progress=again.append)
    assert sum(each.seconds is None for each in again) == 5
    assert len(found) == len(again) == len(plan.units)
    assert [record.key for record in found] == [unit.key for unit in plan.units]
    assert analyse(plan, found)[0].row("best-fit").estimates == compared(SPEC)[1][0].row("best-fit").estimates


def test_without_resume_everything_is_done_again(tmp_path: Path) -> None:
    plan = check(parse(SPEC.replace("seeds: 4", "seeds: 1")))
    again: list[Done] = []
    for _ in range(2):
        again.clear()
        run_all(plan, Records(tmp_path), progress=again.append)
    assert all(each.seconds is not None for each in again)


def test_a_record_that_is_not_whole_is_none(tmp_path: Path) -> None:
    plan = check(parse(SPEC.replace("seeds: 4", "seeds: 1")))
    records = Records(tmp_path)
    run_all(plan, records)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:1000])
    assert all(records.get(unit.key) is None for unit in plan.units)
    assert len(run_all(plan, records, resume=True)) == len(plan.units)


def test_a_record_of_before_is_found_under_new_names(tmp_path: Path) -> None:
    records = Records(tmp_path)
    run_all(check(parse(SPEC)), records)
    plan = check(parse(SPEC.replace("churn", "w1")))
    seen: list[Done] = []
    found = run_all(plan, records, resume=True, progress=seen.append)
    assert all(each.seconds is None for each in seen) and {record.trace for record in found} == {"w1"}


def test_a_run_that_cannot_be_done_is_named() -> None:
    plan = check(parse(SPEC.replace("[first-fit,", f"[first-fit, '{MOODY}',")))
    memory = Memory()
    with pytest.raises(RunFailed) as error:
        run_all(plan, memory)
    assert str(error.value) == f"{MOODY} on churn on ten, seed 1: no such large ones"
    assert [record.policy for record in memory.found.values()] == ["first-fit"]


def test_a_policy_that_breaks_says_in_which_run() -> None:
    plan = check(parse(SPEC.replace("[first-fit,", f"[first-fit, '{MOODY},broken=true',")))
    with pytest.raises(RuntimeError, match="out of order") as error:
        run_all(plan, Memory())
    assert error.value.__notes__ == [f"in the run of {MOODY},broken=true on churn on ten, seed 1"]


def test_a_policy_from_elsewhere_counts_by_its_source() -> None:
    plan = check(parse(SPEC.replace("[first-fit,", f"[first-fit, '{MOODY}',")))
    ours = next(unit.key for unit in plan.units if unit.policy == "best-fit")
    assert ours in [unit.key for unit in check(parse(SPEC)).units]


def test_the_time_left_is_told_by_what_runs_of_a_kind_have_taken() -> None:
    units = check(parse(SPEC)).units
    pace = Pace(jobs=2)
    assert pace.left(units) is None
    first, second = units[0], units[1]
    pace.add(first, 10.0)
    assert pace.left([first]) == 5.0
    assert pace.left([second]) == 5.0, "nothing is known of its policy yet"
    pace.add(second, 2.0)
    assert pace.left([first, second, second]) == pytest.approx((10 + 2 + 2) / 2)
    assert pace.left([]) == 0


def test_both_engines_find_the_same_of_a_cloud_that_takes_no_time() -> None:
    text = SPEC.replace("cores: 64, memory_gib: 256", "cores: 64, memory_gib: 256, mhz: 1000")
    text = text.replace("seeds: 4", "seeds: 1").replace("start: 300", "start: 60").replace("{name: best-fit, norm: linf}, ", "")
    full = """\
engine: run
scenario:
  latency: zero
  lifetime_from: arrival
  settings:
    ping.interval: 3600
    cluster.cpu.allocated.capacity.disablethreshold: 1
    cluster.memory.allocated.capacity.disablethreshold: 1
"""
    (replayed,), (run,) = compared(text)[1], compared(text + full)[1]
    for policy in ("first-fit", "best-fit"):
        left, right = replayed.row(policy), run.row(policy)
        assert left.records[0].check == right.records[0].check
        assert left.records[0].placed == right.records[0].placed
        for name in ("host_hours_ratio", "cpu_packing_density", "energy_kwh", "fragmentation", "rejected_share"):
            assert right.figures[0][name] == pytest.approx(left.figures[0][name], rel=1e-3), name
        assert right.figures[0]["time_to_place_p99_s"] < 1
        assert right.figures[0]["migrations"] == 0
