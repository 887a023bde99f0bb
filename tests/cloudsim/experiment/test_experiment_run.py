"""Whole runs: every request has an outcome, figures add up, and the same seed gives the same bytes."""

from __future__ import annotations

from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from cloudsim.experiment.reading import parse
from cloudsim.experiment.recording import LEVELS, Levels
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.run import Progress, run
from cloudsim.experiment.summary import summary
from cloudsim.randomness import Randomness

SMALL = """\
name: small
seed: 3
datacenter:
  uniform: {racks: 2, hosts_per_rack: 2, host: {cores: 8, memory_gib: 32}}
workload:
  format: poisson
  requests_in_all: 60
  per_hour: 60
  lifetime: {mean: 1200}
  flavours: [{vcpu: 2, memory_mib: 4096}, {vcpu: 4, memory_mib: 8192}]
settings: {ping.interval: 600}
until: last-departure
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "first"
    run(parse(SMALL, "small.yaml"), out=out)
    return out


def test_the_same_seed_gives_the_same_bytes(written: Path) -> None:
    again = written.parent / "again"
    run(parse(SMALL, "elsewhere/small.yaml"), out=again)
    files = sorted(path.relative_to(written) for path in written.rglob("*") if path.is_file())
    names = {str(file) for file in files}
    assert {"summary.json", "report.html", "vms.parquet", "hosts.parquet", "plots/allocation.svg"} <= names
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    for file in files:
        assert (written / file).read_bytes() == (again / file).read_bytes(), file


def test_another_seed_gives_another_run(written: Path) -> None:
    found = summary(run(parse(SMALL, "small.yaml"), seed=4))
    assert found["seed"] == 4
    assert (
        found["trace"]["sha256"]
        != msgspec.json.decode((written / "summary.json").read_bytes())["trace"]["sha256"]
    )


def test_requests_rows_and_counts_agree(written: Path) -> None:
    found: dict[str, Any] = msgspec.json.decode((written / "summary.json").read_bytes())
    vms = pq.read_table(written / "vms.parquet").to_pylist()
    requests = found["requests"]
    assert requests["arrived"] == len(vms) == 60
    assert requests["pending"] == 0
    for outcome in ("placed", "rejected", "failed"):
        assert requests[outcome] == sum(vm["outcome"] == outcome for vm in vms)
    assert requests["rejected"] > 0
    assert sum(requests["by_cause"].values()) == requests["rejected"] + requests["failed"]
    for vm in vms:
        if vm["outcome"] == "placed":
            assert vm["arrival_s"] <= vm["placed_s"] < vm["running_s"] < vm["released_s"] <= vm["gone_s"]
            assert vm["released_s"] - vm["running_s"] == pytest.approx(vm["lifetime_s"], abs=5)
        else:
            assert vm["cause"] and vm["running_s"] is None


def test_time_averages_are_the_integrals_of_the_rows(written: Path) -> None:
    found: dict[str, Any] = msgspec.json.decode((written / "summary.json").read_bytes())
    vms = pq.read_table(written / "vms.parquet").to_pylist()
    reserved = sum(
        (vm["released_s"] - vm["placed_s"]) * vm["vcpus"] for vm in vms if vm["placed_s"] is not None
    )
    assert found["allocation"]["vcpus"]["average"] == pytest.approx(reserved / found["simulated_s"], rel=1e-3)
    assert found["allocation"]["cpu"]["peak_share"] <= 1.0
    assert found["datacenter"] == {"hosts": 4, "cpu_mhz": 32_000, "memory_mib": 131_072, "gpu_milli": 0}


def test_hosts_add_up_to_samples(written: Path) -> None:
    samples = {row["time_s"]: row for row in pq.read_table(written / "samples.parquet").to_pylist()}
    used: dict[float, int] = {}
    for row in pq.read_table(written / "hosts.parquet").to_pylist():
        used[row["time_s"]] = used.get(row["time_s"], 0) + row["cpu_mhz"]
        assert row["cpu_mhz"] <= row["cpu_mhz_capacity"]
    assert len(used) == len(samples)
    assert all(samples[time]["cpu_mhz"] == value for time, value in used.items())
    assert max(used.values()) > 0


def test_messages_and_jobs_are_counted(written: Path) -> None:
    found: dict[str, Any] = msgspec.json.decode((written / "summary.json").read_bytes())
    jobs = found["jobs"]["by_command"]
    placed = found["requests"]["placed"]
    assert jobs["deployVirtualMachine"]["succeeded"] == placed
    assert jobs["destroyVirtualMachine"]["succeeded"] == 60  # those without a place are removed as well
    kinds = found["messages"]["by_kind"]
    assert kinds["StartCommand"] >= placed == kinds["StartAnswer"]
    counts = pq.read_table(written / "messages.parquet")["count"].to_pylist()
    assert sum(counts) == found["messages"]["total"]
    assert pq.read_table(written / "jobs.parquet").num_rows == found["jobs"]["total"]


def test_the_report_needs_nothing_else(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg ") >= 5
    assert "cloudsim run small.yaml --seed 3" in text
    assert "<script" not in text and "<link" not in text and 'src="http' not in text
    ids = [part.split('"')[0] for part in text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


W1 = """\
name: w1
datacenter:
  inline:
    zones: [{pods: [{racks: [{count: 2, hosts: [{count: 10, cores: 64, mhz: 1000, memory_gib: 256}]}]}]}]
    fabric:
      host: {gbps: 100, latency_us: 0}
      rack: {gbps: 100, latency_us: 0}
      spine: {gbps: 100, latency_us: 0}
      core: {gbps: 100, latency_us: 0}
      storage: {gbps: 100, latency_us: 0}
      management: {gbps: 100, latency_us: 0}
      internet: {gbps: 100, latency_us: 0}
workload: {format: w1, hosts: 20, requests_after_warm_start: 400}
latency: zero
lifetime_from: arrival
settings:
  ping.interval: 3600
  cluster.cpu.allocated.capacity.disablethreshold: 1
  cluster.memory.allocated.capacity.disablethreshold: 1
"""


def first_fit(requests: list[VmRequest], hosts: int) -> int:
    """The placement check of a plain first-fit over hosts of 64 cores and 256 GiB."""
    cpu, memory = [64] * hosts, [256 * 1024] * hosts
    leaving: list[tuple[int, int, int]] = []
    check = 0
    for index, r in enumerate(requests):
        while leaving and leaving[0][0] <= r.arrival_ms:
            _, gone, host = heappop(leaving)
            cpu[host] += requests[gone].cpus
            memory[host] += requests[gone].memory_mib
        found = next((h for h in range(hosts) if cpu[h] >= r.cpus and memory[h] >= r.memory_mib), None)
        if found is not None:
            cpu[found] -= r.cpus
            memory[found] -= r.memory_mib
            assert r.lifetime_ms is not None
            heappush(leaving, (r.arrival_ms + r.lifetime_ms, index, found))
            check += (found + 1) * (index + 1)
    return check


def test_the_whole_path_places_as_a_plain_first_fit_does() -> None:
    loaded = parse(W1, "w1.yaml")
    found = summary(run(loaded))
    requests = list(loaded.scenario.workload.requests(Path(), Randomness(0)))
    assert found["placement_check"] == first_fit(requests, 20)
    assert 0.6 < found["allocation"]["cpu"]["average_share"] < 0.95


def test_progress_is_told(written: Path) -> None:
    heard: list[Progress] = []
    run(parse(SMALL.replace("last-departure", "1800"), "small.yaml"), progress=heard.append)
    assert [p.phase for p in heard[:2]] == ["setting up", "running"]
    assert heard[-1].arrived <= heard[-1].requests == 60
    times = [p.time for p in heard[1:]]
    assert times == sorted(times) and times[-1] <= 1800


@pytest.mark.parametrize(
    "fault",
    [
        "{fault: HostCrash, every: 600, duration: 300}",
        "{fault: ManagerRestart, at: 1200, duration: 60}",
        "{fault: MessageLoss, rate: 0.05, at: 0}",
    ],
)
def test_every_request_has_an_outcome_under_faults(fault: str) -> None:
    text = SMALL + f"faults: [{fault}]\nsampling: {{every: 60}}\n"
    result = run(parse(text, "faulty.yaml"))
    assert result.strikes
    counts = result.outcomes.counts
    assert counts["pending"] == 0
    assert counts["placed"] + counts["rejected"] + counts["failed"] == 60
    assert counts["placed"] > 20
    now = dict(zip(LEVELS, result.recorder.levels.now, strict=True))
    assert now["instances"] == now["cpu_mhz"] == now["memory_mib"] == 0
    again = run(parse(text, "faulty.yaml"))
    assert summary(again) == summary(result)


def test_levels_integrate_exactly() -> None:
    levels = Levels()
    levels.add(0.0, 0, (1, 100, 2, 10, 0))
    levels.add(10.0, 0, (1, 100, 2, 10, 0))
    levels.add(30.0, 0, (-2, -200, -4, -20, 0))
    levels.reach(40.0)
    assert levels.average()["cpu_mhz"] == pytest.approx((10 * 100 + 20 * 200) / 40)
    assert levels.peak[0] == 2
    levels.begin(40.0)
    levels.reach(50.0)
    assert levels.average()["cpu_mhz"] == 0
    assert np.isfinite(list(levels.average().values())).all()


def test_a_policy_that_orders_batches_places_the_largest_of_an_instant_first() -> None:
    """Two hosts of four cores: by first fit the two small ones leave no host for the second large one."""
    text = """\
name: batch
datacenter:
  uniform: {hosts_per_rack: 2, host: {cores: 4, memory_gib: 8}}
workload:
  format: inline
  list: [{at: 5, count: 2, vcpu: 1, memory_mib: 512}, {at: 5, count: 2, vcpu: 3, memory_mib: 512}]
settings: {cluster.cpu.allocated.capacity.disablethreshold: 1}
policy: POLICY
"""
    placed = {
        policy: run(parse(text.replace("POLICY", policy))).outcomes.outcome
        for policy in ("first-fit", "first-fit-decreasing")
    }
    assert placed["first-fit"] == ["placed", "placed", "placed", "rejected"]
    assert placed["first-fit-decreasing"] == ["placed"] * 4
