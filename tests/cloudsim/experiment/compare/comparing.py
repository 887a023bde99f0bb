"""A small comparison that runs in a moment, and what it finds."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

from cloudsim.experiment.compare import CaseResult, Plan, Record, Records, analyse, check, parse, run_all

SPEC = """\
name: small
policies: [first-fit, best-fit, {name: best-fit, norm: linf}, random]
baseline: first-fit
seeds: 4
traces:
- name: churn
  workload: {format: w1, hosts: "{hosts}", requests_after_warm_start: 300, seed: "{seed}"}
clusters:
- name: ten
  hosts: [{count: 10, cores: 64, memory_gib: 256}]
power: {linear: {model: linear, peak: 400, idle_share: 0.5}}
"""

SLICED = SPEC.replace('seed: "{seed}"}', "seed: 7}\n  slices: 6")


class Memory(Records):
    """Records that no disk sees."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.found: dict[str, Record] = {}

    def put(self, record: Record) -> None:
        self.found[record.key] = record

    def get(self, key: str) -> Record | None:
        return self.found.get(key)


@lru_cache(maxsize=8)
def compared(text: str, folder: Path = Path()) -> tuple[Plan, list[CaseResult]]:
    """The comparison's plan, and what its runs say."""
    plan = check(parse(text, "small.yaml", folder))
    return plan, analyse(plan, run_all(plan, Memory(), clock=time.process_time))
