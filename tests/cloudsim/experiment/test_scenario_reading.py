"""Scenarios: what is wrong is said with file, line, key and what was expected, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudsim.experiment.checking import check
from cloudsim.experiment.errors import ExperimentError, ScenarioError
from cloudsim.experiment.reading import load, parse
from cloudsim.experiment.run import run
from cloudsim.experiment.scenario import json_schema

GOOD = """\
name: small
seed: 3
datacenter:
  uniform: {racks: 1, hosts_per_rack: 2, host: {cores: 8, memory_gib: 32}}
workload:
  format: w1
  hosts: 1
  requests_after_warm_start: 5
settings:
  ping.interval: 300
until: 600
"""


def test_a_good_one_is_read() -> None:
    loaded = parse(GOOD, "some/where/small.yaml")
    assert loaded.name == "small.yaml"
    assert loaded.scenario.seed == 3
    assert loaded.scenario.until == 600
    checked = check(loaded, seed=9)
    assert checked.seed == 9
    assert checked.trace.requests == 16 + 5
    assert checked.horizon == 600


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("seed: 3", "seed: -3", r"small.yaml:2: seed: expected `int` >= 0"),
        ("seed: 3", "sead: 3", r"small.yaml:2: sead: expected a key that is known here"),
        ("name: small\n", "", r"small.yaml:1: the scenario: expected the key `name`, which is missing"),
        ("racks: 1", "racks: many", r"small.yaml:4: datacenter.uniform.racks: expected `int`, got `str`"),
        ("format: w1", "format: w9", r"small.yaml:6: workload.format: invalid value 'w9'"),
        ("hosts: 1\n", "hosts: 0\n", r"small.yaml:7: workload.hosts: expected `int` >= 1"),
        ("uniform: {", "uniforn: {", r"small.yaml:4: datacenter.uniforn: expected a key that is known"),
        (
            "ping.interval: 300",
            "ping.intervall: 300",
            r"small.yaml:10: settings.ping.intervall: expected a conf",
        ),
        ("ping.interval: 300", "ping.interval: soon", r"small.yaml:10: .*: ping.interval takes an integer"),
        (
            "ping.interval: 300",
            "vm.allocation.algorithm: random",
            r"small.yaml:10: .* expected the placement policy in `policy`",
        ),
        ("until: 600", "until: never", r"small.yaml:11: until: "),
        ("until: 600", "until: 600\nseed: 4", r"small.yaml:12: seed: expected this key only once"),
        ("until: 600", "until: [600", r"small.yaml:\d+: not YAML"),
        (
            "until: 600",
            "policy: tidy",
            r"small.yaml:11: policy: no placement policy 'tidy'; there are ",
        ),
        ("until: 600", "policy: 'best-fit,norm=l9'", r"small.yaml:11: policy: .*norm: expected one of cpu, memory"),
        ("until: 600", "policy: {norm: l2}", r"small.yaml:11: policy: placement policy: expected a name among norm"),
        ("until: 600", "policy: {name: best-fit, norm: {a: b}}", r"small.yaml:11: policy: expected `bool"),
        ("until: 600", "policy: {name: protean, rules: [luck]}", r"small.yaml:11: policy: .*rules: expected some of"),
        ("until: 600", "faults:\n  - {fault: Fire, at: 0}", r"small.yaml:12: faults\[0\]: expected a fault"),
        (
            "until: 600",
            "faults:\n  - {fault: HostCrash, at: 0}\n  - {fault: HostCrash}",
            r"small.yaml:13: faults\[1\]: expected a fault: .*time",
        ),
        ("until: 600", "latency: slow", r"small.yaml:11: latency: no latency profile 'slow'"),
        ("until: 600", "latency: {vm_boot: -1}", r"small.yaml:11: latency: "),
    ],
)
def test_what_is_wrong_is_located(old: str, new: str, expected: str) -> None:
    with pytest.raises(ScenarioError, match=expected):
        run(parse(GOOD.replace(old, new, 1), "small.yaml"))


@pytest.mark.parametrize("policy", ["best-fit,norm=l2", "{name: best-fit, norm: l2}"])
def test_a_policy_has_options(policy: str) -> None:
    loaded = parse(GOOD.replace("until: 600", f"policy: {policy}"), "small.yaml")
    assert check(loaded).loaded.scenario.policy_text == "best-fit,norm=l2"


def test_an_inline_datacenter_is_located() -> None:
    text = GOOD.replace(
        "  uniform: {racks: 1, hosts_per_rack: 2, host: {cores: 8, memory_gib: 32}}",
        "  inline:\n    zones:\n      - pods:\n          - racks:\n              - hosts: none",
    )
    with pytest.raises(
        ScenarioError, match=r"small.yaml:8: datacenter.inline.zones\[0\].pods\[0\].racks\[0\].hosts"
    ):
        run(parse(text, "small.yaml"))


@pytest.mark.parametrize("source", ["{}", "{file: a.yaml, openb_nodes: {path: b}}"])
def test_exactly_one_datacenter(source: str) -> None:
    lines = [f"datacenter: {source}" if line == "datacenter:" else line for line in GOOD.splitlines()]
    text = "\n".join(line for line in lines if "uniform" not in line)
    with pytest.raises(
        ScenarioError, match=r"small.yaml:3: datacenter: expected exactly one of uniform, inline"
    ):
        parse(text, "small.yaml")


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none.yaml: No such file"):
        load(tmp_path / "none.yaml")
    text = GOOD.replace(
        "uniform: {racks: 1, hosts_per_rack: 2, host: {cores: 8, memory_gib: 32}}", "file: dc.yaml"
    )
    with pytest.raises(ScenarioError, match=r"dc.yaml: No such file"):
        run(parse(text, "small.yaml", tmp_path))
    text = GOOD.replace(
        "format: w1\n  hosts: 1\n  requests_after_warm_start: 5", "format: table\n  path: t.csv"
    )
    with pytest.raises(ExperimentError, match=r"t.csv: there is no such file"):
        check(parse(text, "small.yaml", tmp_path))


def test_what_no_offering_can_say_is_refused(tmp_path: Path) -> None:
    rows = "id,arrival_ms,lifetime_ms,vcpu,memory_mib,gpus,gpu_milli\n"
    text = GOOD.replace(
        "format: w1\n  hosts: 1\n  requests_after_warm_start: 5", "format: table\n  path: t.csv"
    )
    for row, expected in (
        ("a,0,1,1,64,2,500", "gpu_milli: expected 1000"),
        ("a,0,1,1,31,0,1000", "at least 32"),
    ):
        (tmp_path / "t.csv").write_text(rows + row + "\n")
        with pytest.raises(ExperimentError, match=f"request a: .*{expected}"):
            check(parse(text, "small.yaml", tmp_path))
    (tmp_path / "t.csv").write_text(rows)
    with pytest.raises(ExperimentError, match="expected at least one request"):
        check(parse(text, "small.yaml", tmp_path))


def test_the_digest_is_of_the_content_and_not_of_the_layout() -> None:
    plain = parse(GOOD).scenario.digest()
    assert parse("# a remark\n" + GOOD).scenario.digest() == plain
    assert parse(GOOD.replace("seed: 3", "seed: 4")).scenario.digest() != plain


def test_the_schema_has_every_format() -> None:
    schema = json_schema()
    workload = schema["$defs"]["Scenario"]["properties"]["workload"]
    assert {"surf", "openb", "w1", "table", "poisson"} <= set(workload["discriminator"]["mapping"])


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[3].glob("examples/*.yaml")), ids=lambda p: p.stem
)
def test_examples_are_scenarios(path: Path) -> None:
    loaded = load(path)
    files = loaded.scenario.workload.files(loaded.folder)
    if all(file.is_file() for file in files):
        assert check(loaded).trace.requests > 0
    else:
        with pytest.raises(ExperimentError, match="there is no such file"):
            check(loaded)
