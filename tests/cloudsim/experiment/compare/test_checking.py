"""A comparison is checked before anything runs: what is wrong is said with file, line and key; what will run is laid out."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudsim.experiment.compare import check, load, parse
from cloudsim.experiment.compare.checking import uses_chance
from cloudsim.experiment.errors import ScenarioError
from tests.cloudsim.experiment.compare.comparing import SLICED, SPEC

EXAMPLES = Path(__file__).parents[4] / "examples"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: small", "nam: small", "c.yaml:1: nam: expected a key that is known here"),
        ("best-fit, {", "bests-fit, {", "c.yaml:2: policies[1]: no placement policy 'bests-fit'"),
        ("norm: linf", "norm: l7", "c.yaml:2: policies[2]: policy best-fit: norm: "),
        (", random]", ", first-fit]", "c.yaml:2: policies[3]: expected first-fit only once"),
        ("baseline: first-fit", "baseline: worst-fit", "c.yaml:3: baseline: expected one of the policies: first-fit, "),
        ("seeds: 4", "seeds: 0", "c.yaml:4: seeds: expected `int` >= 1"),
        ("seeds: 4", "seeds: [4, 4]", "c.yaml:4: seeds: expected each seed once"),
        ("format: w1", "format: w9", "c.yaml:7: traces[0].workload.format: invalid value 'w9'"),
        ("requests_after", "request_after", "c.yaml:7: traces[0].workload.request_after_warm_start: expected a key that"),
        ('"{hosts}"', '"{hots}"', "c.yaml:7: traces[0].workload.hosts: expected `int`, got `str`"),
        ("  workload: {", "  path: x.csv\n  workload: {", "c.yaml:6: traces[0]: expected exactly one of workload and path"),
        ("count: 10", "count: 0", "c.yaml:10: clusters[0].hosts[0].count: expected `int` >= 1"),
        ("  hosts: [{c", "  hats: [{c", "c.yaml:10: clusters[0].hats: expected a key that is known here"),
        ("- name: ten", "- name: ten\n  datacenter: {file: x}", "c.yaml:9: clusters[0]: expected exactly one of hosts, "),
        ("idle_share: 0.5", "idle_share: 2", "c.yaml:11: power.linear.idle_share: expected `float` <= 1.0"),
        ("power: {linear: ", "power: {server: hal, linear: ", "c.yaml:11: power: expected exactly one of server and linear"),
        ("power:", "metrics: [speed]\npower:", "c.yaml:11: metrics[0]: expected one of host_hours_ratio, "),
        ("power:", "warm_up: mser-6\npower:", "c.yaml:11: warm_up: "),
        ("power:", "scenario: {latency: zero}\npower:", "c.yaml:11: scenario: expected this key only with engine: run"),
        ("power:", "without: [random]\npower:", "c.yaml:11: without[0]: expected an installed policy, with `policies: all`"),
        ("- name: churn", "- name: churn\n  clusters: [two]", "c.yaml:7: traces[0].clusters: expected a cluster's name, got two"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(old: str, new: str, expected: str) -> None:
    assert old in SPEC
    with pytest.raises(ScenarioError) as error:
        check(parse(SPEC.replace(old, new, 1), "c.yaml"))
    assert expected in str(error.value)


def test_a_server_that_nobody_measured_is_not_known() -> None:
    text = SPEC.replace("{linear: {model: linear, peak: 400, idle_share: 0.5}}", "{server: hal}")
    with pytest.raises(ScenarioError, match=r"c.yaml:11: power.server: expected one of hp-ml110-g4, "):
        check(parse(text, "c.yaml"))
    plan = check(parse(text.replace("hal", "hp-ml110-g5")))
    assert plan.watts == (93.7, 135.0, False)


def test_a_trace_that_is_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    text = SPEC[: SPEC.index("workload")] + "workload: {format: surf, path: a}\n" + SPEC[SPEC.index("clusters") :]
    with pytest.raises(ScenarioError, match=r"c.yaml:6: traces\[0\]: .*there is no such file"):
        check(parse(text, "c.yaml", tmp_path))


def test_every_policy_meets_every_trace_cluster_and_seed() -> None:
    text = SPEC.replace("- name: ten", "- {name: five, hosts: [{count: 5, cores: 64, memory_gib: 256}]}\n- name: ten")
    plan = check(parse(text))
    assert [case.name for case in plan.cases] == ["churn on five", "churn on ten"]
    assert len(plan.units) == 2 * 4 * 4
    assert len({unit.key for unit in plan.units}) == len(plan.units)
    assert [getattr(unit.trace, "hosts") for unit in plan.units[::16]] == [5, 10]  # noqa: B009
    assert {getattr(unit.trace, "seed") for unit in plan.units} == {1, 2, 3, 4}  # noqa: B009


def test_keys_are_of_what_decides_the_outcome_and_of_nothing_else() -> None:
    keys = [unit.key for unit in check(parse(SPEC)).units]
    shown = SPEC.replace("small", "other").replace("power:", "warm_up: 60\nmetrics: [gini]\npower:").replace("churn", "c")
    assert [unit.key for unit in check(parse(shown)).units] == keys
    for old, new in (("cores: 64", "cores: 32"), ("start: 300", "start: 301"), ("power:", "until: last-departure\npower:")):
        assert not set(keys) & {unit.key for unit in check(parse(SPEC.replace(old, new))).units}


def test_a_file_counts_by_what_is_in_it(tmp_path: Path) -> None:
    text = SPEC[: SPEC.index("traces:")] + "traces: [{name: t, path: t.csv}]\n" + SPEC[SPEC.index("clusters:") :]
    header = "id,arrival_ms,lifetime_ms,vcpu,memory_mib\n"

    def keys(rows: str, folder: str) -> list[str]:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "t.csv").write_text(header + rows)
        return [unit.key for unit in check(parse(text, "c.yaml", tmp_path / folder)).units]

    one = keys("a,0,50,1,1024\nb,5,50,1,1024\n", "x")
    assert keys("a,0,50,1,1024\nb,5,50,1,1024\n", "y") == one
    assert not set(keys("a,0,50,1,1024\nb,6,50,1,1024\n", "x")) & set(one)


def test_a_trace_that_is_the_same_for_every_seed_is_run_once_but_by_policies_that_use_chance() -> None:
    plan = check(parse(SPEC.replace('seed: "{seed}"', "seed: 7")))
    assert {policy: len(seeds) for policy, seeds in plan.cases[0].runs.items()} == {
        "first-fit": 1,
        "best-fit": 1,
        "best-fit,norm=linf": 1,
        "random": 4,
    }


def test_slices_are_of_one_run() -> None:
    assert {seeds for seeds in check(parse(SLICED)).cases[0].runs.values()} == {(1,)}


@pytest.mark.parametrize(
    ("policy", "chance"),
    [
        ("first-fit", False),
        ("l2-norm", False),
        ("random", True),
        ("power-of-d", True),
        ("protean", False),
        ("protean,ties=random", True),
        ("user-concentrated-pod,within=random", True),
    ],
)
def test_policies_that_use_chance_are_found_by_trying(policy: str, chance: bool) -> None:
    assert uses_chance(policy) == chance


def test_of_all_policies_those_take_part_that_have_something_to_decide_by() -> None:
    text = "policies: all\n" + SPEC.replace("policies: [first-fit, best-fit, {name: best-fit, norm: linf}, random]\n", "")
    (case,) = check(parse(text)).cases
    assert "worst-fit" in case.runs and "first-fit-decreasing" in case.runs  # W1's warm start is a batch
    assert case.left_out["nilas"].startswith("the trace foretells no lifetimes")
    assert case.left_out["user-dispersing"] == "the trace does not say whose instances they are"
    assert case.left_out["user-concentrated-pod"].endswith("the cluster has one pod")
    (told,) = check(parse(text.replace("format: w1", "format: w1, lifetime_error: 0.5"))).cases
    assert "nilas" in told.runs and "lava" in told.runs


def test_policies_that_are_left_out_by_name_do_not_take_part() -> None:
    text = "name: x\npolicies: all\nwithout: [lava, random]\n" + SPEC[SPEC.index("baseline") :]
    (case,) = check(parse(text)).cases
    assert not {"lava", "random"} & {*case.runs, *case.left_out}


def test_a_full_run_takes_what_a_scenario_may_say_but_for_what_the_comparison_decides() -> None:
    text = SPEC + "engine: run\nscenario: {latency: zero, settings: {ping.interval: 600}}\n"
    plan = check(parse(text))
    scenario = plan.units[0].scenario
    assert scenario is not None
    assert scenario.scenario.latency == "zero"
    assert scenario.scenario.settings == {"ping.interval": 600}
    for old, new, expected in (
        ("latency: zero", "seed: 3", "c.yaml:13: scenario.seed: expected this key not here"),
        ("latency: zero", "latenzy: zero", "c.yaml:13: scenario.latenzy: expected a key that is known here"),
    ):
        with pytest.raises(ScenarioError) as error:
            check(parse(text.replace(old, new), "c.yaml"))
        assert expected in str(error.value)


def test_over_commitment_reaches_both_engines() -> None:
    text = SPEC.replace("- name: ten", "- name: ten\n  cpu_overcommit: 2.0")
    plan = check(parse(text + "engine: run\n"))
    assert plan.cases[0].cluster.groups[0].cpu == 128_000
    scenario = plan.units[0].scenario
    assert scenario is not None and scenario.scenario.settings == {"cpu.overprovisioning.factor": 2.0}


@pytest.mark.parametrize("name", ["w1", "w1-fill", "openb", "huawei"])
def test_the_examples_can_run(name: str) -> None:
    plan = check(load(EXAMPLES / "compare" / f"{name}.yaml"))
    assert plan.units and plan.baseline == "first-fit"


@pytest.mark.parametrize("name", ["surf", "real-traces"])
def test_the_examples_on_a_trace_that_is_not_shipped_say_where_to_get_it(name: str) -> None:
    with pytest.raises(ScenarioError, match=r"github\.com/atlarge-research/opendc"):
        check(load(EXAMPLES / "compare" / f"{name}.yaml"))


def test_a_trace_may_have_metrics_of_its_own() -> None:
    text = SPEC.replace("- name: churn", "- name: churn\n  metrics: [gini, empty_share]")
    assert check(parse(text)).cases[0].metrics == ("gini", "empty_share")
    with pytest.raises(ScenarioError, match=r"c.yaml:7: traces\[0\].metrics\[1\]: expected one of host_hours_ratio"):
        check(parse(text.replace("empty_share", "emptiness"), "c.yaml"))
