"""Experiments beside a served cloud, through the API, against what `cloudsim run` finds by itself."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudsim.experiment.reading import parse
from cloudsim.experiment.run import run
from cloudsim.experiment.summary import placement_check
from server.simulation.examples import FOLDER
from tests.server.serving import ONE_RACK, Connection, ServerProcess
from tests.server.simulation.calls import refusal, until

SCENARIO = """\
name: small
datacenter:
  uniform: {hosts_per_rack: 3, host: {cores: 8, memory_gib: 32}}
workload:
  format: poisson
  per_hour: 120
  requests_in_all: 60
  lifetime: {mean: 3600}
  flavours: [{vcpu: 1, memory_mib: 1024}, {vcpu: 4, memory_mib: 2048}]
"""
LONG = SCENARIO.replace("requests_in_all: 60", "requests_in_all: 50000")
POLICIES = ("first-fit", "worst-fit")


@pytest.fixture(scope="module")
def alone() -> dict[str, tuple[int, int, int]]:
    """The check, and the numbers of placed and rejected requests, that a run of each policy by itself finds."""
    found = {}
    for policy in POLICIES:
        result = run(parse(SCENARIO + f"policy: {policy}\n"))
        counts = result.outcomes.counts
        found[policy] = (placement_check(result), counts["placed"], counts["rejected"])
    assert found[POLICIES[0]] != found[POLICIES[1]]
    return found


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of results that the server is told of."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, elsewhere: Path) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "rack.yaml").write_text(ONE_RACK)
    options = ("--datacenter", str(folder / "rack.yaml"), "--results", str(elsewhere))
    with ServerProcess(folder / "data", *options) as server:
        yield server


def experiment(call: Connection, experiment_id: str, **more: Any) -> dict[str, Any]:
    return call("listExperiments", id=experiment_id, **more)["experiment"][0]  # type: ignore[no-any-return]


def test_two_policies_on_one_workload_find_what_runs_of_their_own_find_and_results_elsewhere_open_alike(
    call: Connection, alone: dict[str, tuple[int, int, int]], served: ServerProcess, elsewhere: Path
) -> None:
    made = call("createExperiment", scenario=SCENARIO, policies=",".join(POLICIES), name="side by side")["experiment"]
    assert made["requests"] == 60 and [each["policy"] for each in made["run"]] == list(POLICIES)
    call("updateSimulation", pace="pause")  # experiments have a time of their own
    until(lambda: experiment(call, made["id"])["state"] == "Finished")
    told = experiment(call, made["id"], samples=True)["run"]
    assert all(each["series"]["requested"][-1] == 60 and each["progress"] == 1 for each in told)
    answer = call("getExperimentResult", id=made["id"], runs="1,2")["experimentresult"]
    for found in answer["result"]:
        figures = found["figures"]
        check = (figures["placement_check"], figures["placed"], figures["rejected"])
        assert check == alone[found["policy"]]
        assert sum(found["bycause"].values()) == figures["rejected"] + figures["failed"]
        assert found["series"]["requested"][-1] == 60
        assert len(found["hosts"]["names"]) == 3 == len(found["hosts"]["cpu"][-1])
        assert sum(found["latencies"]["count"]) == figures["placed"]
    file = call("getExperimentFile", id=made["id"], run=2, file="summary.json")["experimentfile"]
    assert json.loads(base64.b64decode(file["content"]))["scenario"]["policy"] == "worst-fit"
    assert "file" in refusal(call, "getExperimentFile", id=made["id"], run=2, file="../experiment.json")
    shutil.copytree(served.data / "experiments" / made["id"] / "1", elsewhere / "mine")
    call("deleteExperiment", id=made["id"])
    assert not (served.data / "experiments" / made["id"]).exists()
    assert "no experiment" in refusal(call, "getExperimentResult", id=made["id"])
    mine = next(each for each in call("listExperiments")["experiment"] if each["name"] == "mine")
    assert mine["type"] == "run" and mine["state"] == "Finished"
    answer = call("getExperimentResult", id=mine["id"], runs=1)["experimentresult"]
    assert answer["result"][0]["figures"]["placement_check"] == alone[POLICIES[0]][0]
    assert answer["result"][0]["series"]["requested"][-1] == 60
    assert "made elsewhere" in refusal(call, "deleteExperiment", id=mine["id"])


def test_one_that_goes_on_is_ended_when_it_is_deleted(call: Connection, served: ServerProcess) -> None:
    made = call("createExperiment", scenario=LONG, policies="first-fit,best-fit,worst-fit")["experiment"]
    states = [each["state"] for each in experiment(call, made["id"])["run"]]
    assert states == ["Running", "Running", "Queued"]
    until(lambda: experiment(call, made["id"])["run"][0].get("requested", 0) > 10)
    call("deleteExperiment", id=made["id"])
    assert made["id"] not in {each["id"] for each in call("listExperiments").get("experiment", [])}
    assert not (served.data / "experiments" / made["id"]).exists()


def test_what_a_scenario_lacks_is_said_before_anything_starts(call: Connection) -> None:
    before = call("listExperiments").get("count", 0)
    wrong = SCENARIO.replace("requests_in_all: 60", "requests_in_all: 60\n  start: 100")
    assert "Parameter scenario: " in refusal(call, "createExperiment", scenario=wrong, policies="first-fit")
    broken = SCENARIO.replace("hosts_per_rack: 3, host: {cores: 8", "hosts_per_rack: 3, host: {cores: 0")
    assert "Parameter scenario: " in refusal(call, "createExperiment", scenario=broken, policies="first-fit")
    assert call("listExperiments").get("count", 0) == before


def test_scenarios_and_policies_can_be_chosen_from(call: Connection) -> None:
    scenarios = {each["name"]: each for each in call("listScenarios")["scenario"]}
    assert scenarios["sample"]["text"] == (FOLDER / "sample.yaml").read_text()
    policies = {each["name"]: each for each in call("listPlacementPolicies")["placementpolicy"]}
    assert {"first-fit", "best-fit"} <= policies.keys()
    assert {option["name"] for option in policies["best-fit"]["options"]} >= {"norm"}
