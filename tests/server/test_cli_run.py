"""`cloudsim run` and `cloudsim schema`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from server.cli_run import run_command, schema_command

SCENARIO = """\
name: tiny
datacenter:
  uniform: {host: {cores: 8, memory_gib: 32}}
workload:
  format: poisson
  requests_in_all: 20
  per_hour: 60
  lifetime: {mean: 600}
  flavours: [{vcpu: 2, memory_mib: 4096}]
"""


def test_run_says_how_it_went_and_writes_the_results(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SCENARIO)
    out = tmp_path / "out"
    done = CliRunner().invoke(run_command, [str(path), "--seed", "5", "--out", str(out), "--quiet"])
    assert done.exit_code == 0, done.output
    assert "tiny (seed 5)" in done.output and "20 (100.00%)" in done.output
    timing = json.loads((out / "timing.json").read_text())
    assert timing["phases"]["running"]["cpu_s"] > 0
    assert json.loads((out / "summary.json").read_text())["seed"] == 5
    assert (out / "report.html").is_file()


def test_a_wrong_scenario_is_an_error_and_not_a_trace_back(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SCENARIO.replace("per_hour: 60", "per_hour: 0"))
    done = CliRunner().invoke(run_command, [str(path)])
    assert done.exit_code == 1
    assert f"Error: {path}:7: workload.per_hour: expected `float` > 0" in done.output


def test_schema_is_json() -> None:
    done = CliRunner().invoke(schema_command)
    assert done.exit_code == 0
    assert "Scenario" in json.loads(done.output)["$defs"]
