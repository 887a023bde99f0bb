"""What an experiment may be asked to be, and the scenario that each of its runs is given."""

from __future__ import annotations

import pytest
import yaml

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.reading import parse
from server.simulation.examples import FOLDER, examples
from server.simulation.experiments.asking import asked, with_policy

SCENARIO = """\
# A small one.
name: small
seed: 3 # its own
datacenter:
  uniform: {hosts_per_rack: 2, host: {cores: 8, memory_gib: 32}}
workload: {format: poisson, per_hour: 60, requests_in_all: 5, lifetime: {mean: 60}, flavours: [{vcpu: 1, memory_mib: 512}]}
"""


@pytest.mark.parametrize(
    "text",
    [
        SCENARIO,
        SCENARIO + "policy: worst-fit\n",
        SCENARIO + "policy:\n  name: best-fit\n  norm: l2\nuntil: last-arrival\n",
        SCENARIO + "policy: worst-fit",
        yaml.safe_dump(yaml.safe_load(SCENARIO), default_flow_style=True),
        *(loaded.text for loaded in examples().values()),
    ],
    ids=lambda text: text[:0],
)
def test_a_run_is_given_the_scenario_with_its_policy_and_seed_and_all_else_as_it_was(text: str) -> None:
    before = parse(text, "before", FOLDER).scenario
    after = parse(with_policy(text, "best-fit,norm=linf", 42), "after", FOLDER).scenario
    assert after.policy_text == "best-fit,norm=linf" and after.seed == 42
    assert type(before)(**{f: getattr(before, f) for f in before.__struct_fields__ if f not in ("policy", "seed")}) == type(
        after
    )(**{f: getattr(after, f) for f in after.__struct_fields__ if f not in ("policy", "seed")})


def test_comments_stay() -> None:
    assert with_policy(SCENARIO, "first-fit", 4).startswith("# A small one.\nname: small\nseed: 4 # its own\n")


def test_every_policy_is_run_for_every_seed() -> None:
    found = asked(SCENARIO, ["first-fit", "best-fit,norm=l2"], [1, 2], None)
    assert (found.name, found.policies, found.seeds) == ("small", ("first-fit", "best-fit,norm=l2"), (1, 2))
    assert asked("sample", ["first-fit"], None, "mine").seeds == (1,)


@pytest.mark.parametrize(
    ("scenario", "policies", "seeds", "named"),
    [
        ("nothing", ["first-fit"], None, "scenario"),
        ("/etc/passwd", ["first-fit"], None, "scenario"),
        ("name: x\n", ["first-fit"], None, "scenario: scenario:1"),
        (SCENARIO.replace("uniform: {hosts_per_rack: 2, ", "file: /etc/hosts #"), ["first-fit"], None, "scenario"),
        (SCENARIO + "latency: ../secret.yaml\n", ["first-fit"], None, "scenario: secret.yaml"),
        (SCENARIO + "policy: os:path\n", ["first-fit"], None, "scenario: policy"),
        (SCENARIO, [], None, "policies"),
        (SCENARIO, ["no-fit"], None, "policies"),
        (SCENARIO, ["os:path"], None, "policies"),
        (SCENARIO, ["best-fit,norm=l9"], None, "policies"),
        (SCENARIO, ["first-fit", "first-fit"], None, "policies"),
        (SCENARIO, ["first-fit"] * 9, None, "policies"),
        (SCENARIO, ["first-fit"], [1, 1], "seeds"),
        (SCENARIO, ["first-fit"], [-1], "seeds"),
        (SCENARIO, ["first-fit"], list(range(21)), "seeds"),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_its_parameter(
    scenario: str, policies: list[str], seeds: list[int] | None, named: str
) -> None:
    with pytest.raises(InvalidParameterValue) as refused:
        asked(scenario, policies, seeds, None)
    assert f"Parameter {named}" in refused.value.text


def test_a_file_that_is_not_an_example_s_is_refused_wherever_it_is_named() -> None:
    places = {
        "datacenter": {"file": "../secret.yaml"},
        "workload": {"format": "table", "path": "/etc/passwd"},
    }
    for key, value in places.items():
        text = yaml.safe_dump(yaml.safe_load(SCENARIO) | {key: value})
        with pytest.raises(InvalidParameterValue, match="no files but those of the example scenarios"):
            asked(text, ["first-fit"], None, None)
    nodes = {"openb_nodes": {"path": "../../etc/hosts"}}
    with pytest.raises(InvalidParameterValue, match="no files but"):
        asked(yaml.safe_dump(yaml.safe_load(SCENARIO) | {"datacenter": nodes}), ["first-fit"], None, None)
    own = yaml.safe_load(SCENARIO) | {"workload": {"format": "table", "path": "traces/sample.csv"}}
    assert asked(yaml.safe_dump(own), ["first-fit"], None, None).name == "small"
