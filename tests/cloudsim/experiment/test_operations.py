"""Operations and inline requests: what a scenario says is to be done with its instances is done, and told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudsim.experiment.checking import check
from cloudsim.experiment.errors import ScenarioError, TraceError
from cloudsim.experiment.reading import parse
from cloudsim.experiment.run import run
from cloudsim.management.infrastructure.command_log import read

DRILL = """\
name: drill
datacenter:
  uniform: {racks: 1, hosts_per_rack: 2, host: {cores: 4, memory_gib: 4}}
workload:
  format: inline
  list:
    - {at: 0, memory_mib: 256, count: 2}
    - {at: 100, memory_mib: 512, lifetime: 300}
operations:
  - {operation: migrate, request: 1, at: 200, host: "host-2.*"}
  - {operation: stop, request: 2, at: 200}
  - {operation: start, request: 2, at: 300}
  - {operation: reboot, request: 1, at: 300}
  - {operation: stop, request: 3, at: 600}
"""


def test_they_are_done_at_their_times_and_the_run_waits_for_them(tmp_path: Path) -> None:
    result = run(parse(DRILL, "drill.yaml"), out=tmp_path, log_commands=True)
    done = sorted(result.operations, key=lambda each: (each.began, each.request, each.operation))
    assert [(o.operation, o.request, o.began, o.error) for o in done] == [
        ("migrate", 1, 200.0, None),
        ("stop", 2, 200.0, None),
        ("reboot", 1, 300.0, None),
        ("start", 2, 300.0, None),
        ("stop", 3, 600.0, "request 3 has no instance now"),
    ]
    assert result.outcomes.host == ["host-2.rack-1.pod-1", "host-1.rack-1.pod-1", "host-1.rack-1.pod-1"]
    assert (tmp_path / "operations.parquet").exists()
    with (tmp_path / "commands.jsonl").open("rb") as lines:
        written = list(read(lines))
    assert written == list(result.commands)
    causes = {record.trace_id for record in written}
    assert {"deploy 1", "deploy 3", "destroy 3", "operation 1: migrate request 1"} <= causes


def test_without_being_asked_for_no_command_is_kept() -> None:
    assert run(parse(DRILL, "drill.yaml")).commands == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("operation: reboot", "operation: explode", r"drill.yaml:13: operations\[3\]: expected an operation"),
        ("request: 3, at: 600", "request: 4, at: 600", r"drill.yaml:14: .*: request: expected at most 3"),
        ("request: 3, at: 600", "request: 3", r"drill.yaml:14: .*missing required field `at`"),
    ],
)
def test_a_wrong_one_is_named_before_anything_runs(old: str, new: str, expected: str) -> None:
    with pytest.raises(ScenarioError, match=expected):
        check(parse(DRILL.replace(old, new, 1), "drill.yaml"))


def test_inline_requests_come_in_the_order_of_their_arrival() -> None:
    with pytest.raises(TraceError, match=r"list\[1\]: at: expected at least 5"):
        check(parse(DRILL.replace("{at: 0,", "{at: 5,").replace("{at: 100,", "{at: 1,"), "drill.yaml"))


def test_another_world_is_named_or_refused() -> None:
    with pytest.raises(ScenarioError, match=r"no backend 'moon'; installed: .*simulated"):
        run(parse(DRILL, "drill.yaml"), on="moon")
