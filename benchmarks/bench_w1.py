"""Full fidelity on W1: every deploy and destroy as a job, a placement, Commands to an agent and their Answers.

W1 (churn): hosts of 64 cores and 256 GiB at 80 % fill, 15.5 requests a host at time 0, then Poisson arrivals, ten
for each host; exponential lifetimes of a day on average. Latencies are zero and agents ping once an hour,
so that the figures are of the management path. A second figure says what pings every minute add.

A deploy is counted with its share of the destroys and with the recording of the experiment's results;
setting up the datacenter is not. CPU seconds of one process (`time.process_time`). `--profile` shows where they go.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from cloudsim.experiment.reading import parse
from cloudsim.experiment.result import RunResult
from cloudsim.experiment.run import Progress, run

Figures = dict[str, dict[str, Any]]

HOSTS = {"1k": 1_000, "10k": 10_000}
PER_RACK = 40

_SCENARIO = """
name: w1
seed: 1
datacenter:
  inline:
    zones:
      - pods:
          - racks: [{{count: {racks}, hosts: [{{count: {per_rack}, cores: 64, mhz: 1000, memory_gib: 256}}]}}]
workload: {{format: w1, hosts: {hosts}, requests_after_warm_start: {arrivals}, limit: {limit}}}
policy: first-fit
latency: zero
lifetime_from: arrival
settings:
  ping.interval: {ping}
  cluster.cpu.allocated.capacity.disablethreshold: 1
  cluster.memory.allocated.capacity.disablethreshold: 1
until: last-arrival
"""


def timed_run(text: str, name: str) -> tuple[RunResult, float]:
    """The result of a scenario, and the CPU seconds from the first arrival to its end."""
    began: list[float] = []

    def note(progress: Progress) -> None:
        if progress.phase == "running" and not began:
            began.append(time.process_time())

    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)  # as `cloudsim run` does: what lives here lives long
    try:
        result = run(parse(text, name, Path(".")), progress=note)
        spent = time.process_time() - began[0]
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
    return result, spent


def deploys_per_cpu_second(hosts: int, arrivals: int, ping: int = 3600) -> float:
    """Deploys for each CPU second of W1 on that many hosts."""
    requests = round(0.8 * 64 * hosts / 3.3) + arrivals
    text = _SCENARIO.format(
        racks=hosts // PER_RACK, per_rack=PER_RACK, hosts=hosts, arrivals=arrivals, ping=ping, limit=requests
    )
    result, spent = timed_run(text, "w1")
    placed = result.outcomes.counts["placed"]
    assert placed == requests, f"W1 rejects nothing at 80 % fill, but {requests - placed} were"
    return requests / spent


def figures() -> Figures:
    """`w1.full.<hosts>.deploys_per_cpu_s`, and the time for each deploy at 10,000 hosts against 1,000."""
    found: Figures = {}
    rates = {}
    for name, hosts in HOSTS.items():
        rates[name] = deploys_per_cpu_second(hosts, hosts)
        found[f"w1.full.{name}.deploys_per_cpu_s"] = {"value": round(rates[name]), "unit": "1/s"}
    found["w1.full.time_ratio_10k_to_1k"] = {"value": round(rates["1k"] / rates["10k"], 2), "unit": "times"}
    churn = deploys_per_cpu_second(1_000, 10_000)
    found["w1.full.1k.churn.deploys_per_cpu_s"] = {"value": round(churn), "unit": "1/s"}
    pinged = deploys_per_cpu_second(1_000, 10_000, ping=60)
    found["w1.full.1k.churn.ping60.deploys_per_cpu_s"] = {"value": round(pinged), "unit": "1/s"}
    return found


PARTS = {
    "cloudsim/store.py": "store: rows, indexes, transactions",
    "cloudsim/model": "store: rows, indexes, transactions",
    "cloudsim/placement": "placement",
    "cloudsim/management/infrastructure/agents.py": "protocol and agents, the manager's side",
    "cloudsim/management": "management services",
    "cloudsim/protocol": "protocol and agents, the manager's side",
    "cloudsim/agent": "agents on the hosts",
    "backends/simulated/loop.py": "event loop (SimLoop, asyncio, heap)",
    "backends/simulated/handles.py": "event loop (SimLoop, asyncio, heap)",
    "backends/simulated/tasks.py": "event loop (SimLoop, asyncio, heap)",
    "backends/simulated/link.py": "simulated links",
    "backends": "simulated hosts and storage",
    "cloudsim/experiment": "the experiment's load and recording",
    "cloudsim": "management services",
    "asyncio": "event loop (SimLoop, asyncio, heap)",
}
"""Whose code a function is, by the first of these that its path has in it."""


def shares(hosts: int = 1_000, arrivals: int = 2_000) -> dict[str, float]:
    """Where the time of a profiled W1 goes: see `shares_of`."""
    profile = cProfile.Profile()
    profile.runcall(deploys_per_cpu_second, hosts, arrivals)
    return shares_of(profile)


def shares_of(profile: cProfile.Profile) -> dict[str, float]:
    """Share of each part in the time of a profile, by the functions' own time, the largest first.

    A built-in function's time counts for whoever calls it.
    """
    spent: Counter[str] = Counter()
    for (path, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if path == "~":
            for (caller, _, _), (_, _, part, _) in callers.items():
                spent[_part(caller)] += part
        else:
            spent[_part(path)] += own
    total = sum(spent.values())
    return {name: seconds / total for name, seconds in spent.most_common()}


def _part(path: str) -> str:
    return next((name for where, name in PARTS.items() if where in path.replace("\\", "/")), "other")


def test_w1_on_a_hundred_hosts(benchmark: Any) -> None:
    benchmark(deploys_per_cpu_second, 120, 120)


def main() -> None:
    if "--profile" in sys.argv:
        for name, share in shares().items():
            print(f"{share:6.1%}  {name}")
        return
    for name, figure in figures().items():
        print(f"{name:44} {figure['value']:>10,} {figure['unit']}")


if __name__ == "__main__":
    main()
