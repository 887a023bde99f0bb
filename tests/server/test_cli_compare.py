"""`cloudsim compare`."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from server.cli_compare import compare_command

SPEC = """\
name: tiny
policies: [first-fit, worst-fit]
seeds: 3
traces:
- {name: churn, workload: {format: w1, hosts: "{hosts}", requests_after_warm_start: 50, seed: "{seed}"}}
clusters:
- {name: four, hosts: [{count: 4, cores: 64, memory_gib: 256}]}
metrics: [host_hours_ratio, rejected_share]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return path


def test_it_prints_a_table_and_writes_a_report(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(compare_command, [str(spec), "--out", str(out), "--jobs", "1", "--quiet"])
    assert done.exit_code == 0, done.output
    assert "first-fit (baseline)" in done.output and "±" in done.output
    assert "Replication: 3 seeds" in done.output and f"Report: {out / 'report.html'}" in done.output
    assert pq.read_table(out / "runs.parquet").num_rows == 6
    assert (out / "report.html").is_file() and len(list((out / "runs").iterdir())) == 6


def test_without_a_folder_nothing_is_written(spec: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(compare_command, [str(spec), "--jobs", "1", "--quiet"])
    assert done.exit_code == 0, done.output
    assert "worst-fit" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_a_comparison_goes_on_where_it_stopped(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [str(spec), "--out", str(out), "--jobs", "1", "--quiet"]
    assert CliRunner().invoke(compare_command, arguments).exit_code == 0
    kept = {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    lost = sorted(kept)[0]
    lost.unlink()
    assert CliRunner().invoke(compare_command, [*arguments, "--resume"]).exit_code == 0
    now = {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    assert set(now) == set(kept)
    assert {path for path in kept if now[path] != kept[path]} == {lost}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--resume"], "--resume needs the --out of before"),
        (["--address", "tcp://x:1"], "--address is for --backend ray or dask"),
    ],
)
def test_options_that_do_not_go_together(spec: Path, arguments: list[str], text: str) -> None:
    done = CliRunner().invoke(compare_command, [str(spec), *arguments])
    assert done.exit_code == 2 and text in done.output


def test_a_wrong_specification_is_an_error_and_not_a_trace_back(spec: Path) -> None:
    spec.write_text(SPEC.replace("worst-fit", "worst-fat"))
    done = CliRunner().invoke(compare_command, [str(spec)])
    assert done.exit_code == 1
    assert f"Error: {spec}:2: policies[1]: no placement policy 'worst-fat'" in done.output


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_a_cluster_finds_what_this_process_finds(spec: Path, tmp_path: Path, backend: str) -> None:
    pytest.importorskip({"dask": "distributed", "ray": "ray"}[backend])
    here, there = tmp_path / "here", tmp_path / "there"
    for out, options in ((here, ["--jobs", "1"]), (there, ["--jobs", "2", "--backend", backend])):
        done = CliRunner().invoke(compare_command, [str(spec), "--out", str(out), "--quiet", *options])
        assert done.exit_code == 0, done.output
    tables = [pq.read_table(out / "runs.parquet").drop_columns(["cpu_seconds"]) for out in (here, there)]
    assert tables[0] == tables[1]
