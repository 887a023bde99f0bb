"""`cloudsim consolidate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli_consolidate import consolidate_command


@pytest.fixture
def day(tmp_path: Path) -> Path:
    folder = tmp_path / "20110303"
    folder.mkdir()
    for vm in range(8):
        values = [10 + (37 * vm + 11 * k) % 80 for k in range(288)]
        (folder / f"vm-{vm}").write_text("\n".join(map(str, values)))
    return folder


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(consolidate_command, [str(each) for each in arguments], env={"COLUMNS": "80"})


def test_a_day_is_studied_under_the_policies_of_the_published_study(day: Path) -> None:
    done = _run(day, "--hosts", 8)
    assert done.exit_code == 0, done.output
    for name in ("npa", "dvfs", "thr-mmt-0.8", "iqr-mmt-1.5", "mad-mmt-2.5", "lr-mmt-1.2", "lrr-mmt-1.2"):
        assert name in done.output
    # Half of eight hosts of 117 W and half of 135 W, for a day.
    assert f"{4 * (117 + 135) * 24 / 1000:.2f}" in done.output


def test_figures_can_be_had_as_json(day: Path) -> None:
    done = _run(day, "--hosts", 8, "--policy", "npa", "--policy", "thr-mmt", "--as-cloudsim", "--json")
    npa, thr = json.loads(done.output)
    assert npa["energy_kwh"] == pytest.approx(4 * (117 + 135) * 86100.1 / 3.6e6)
    assert thr["policy"] == "thr-mmt" and thr["migrations"] > 0 and thr["cpu_s"] > 0


def test_another_day_can_be_given_than_a_study_has(day: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("name: mine\nutilisation: {format: planetlab, days: [nowhere]}\nhosts: {count: 8}\npolicies: [dvfs]\n")
    assert _run(study).exit_code == 1
    done = _run(study, "--day", day, "--json")
    assert json.loads(done.output)[0]["load"] == "20110303"


def test_one_convention_can_be_turned(day: Path) -> None:
    base = [day, "--hosts", 8, "--policy", "npa", "--as-cloudsim", "--json"]
    (found,) = json.loads(_run(*base, "--flip", "ends_uncounted").output)
    assert found["energy_kwh"] == pytest.approx(4 * (117 + 135) * 86400 / 3.6e6)


def test_a_study_is_read_and_its_results_are_written(day: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: mine\nutilisation: {format: planetlab, days: [20110303]}\nhosts: {count: 8}\npolicies: [mad-rs]\n"
    )
    out = tmp_path / "out"
    done = _run(study, "--seed", 1, "--seed", 2, "--order", "upper-case", "--out", out)
    assert done.exit_code == 0, done.output
    assert "mine" in done.output and f"Report: {out / 'report.html'}" in done.output
    assert (out / "report.html").is_file() and (out / "results.parquet").is_file()
    assert "upper-case" in (out / "study.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--policy", "best"], "no consolidation policy 'best'"),
        (["--hosts", "1"], "20110303: hosts: expected room for all instances: vm-0 is number 1 of 8"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(day: Path, arguments: list[str], error: str) -> None:
    done = _run(day, *arguments)
    assert done.exit_code == 1 and error in done.output and "Traceback" not in done.output


def test_a_wrong_file_is_named(day: Path) -> None:
    (day / "vm-3").write_text("12\n" * 287)
    done = _run(day)
    assert done.exit_code == 1
    assert f"Error: {day / 'vm-3'}: expected 288 values, one a line, got 287" in done.output
