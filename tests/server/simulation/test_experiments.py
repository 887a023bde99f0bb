"""Experiments beside a served cloud, through the API, against what `cloudsim run` finds by itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudsim.experiment.reading import load
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
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each policy's run finds, and the folder into which the first has written it."""
    folder = tmp_path_factory.mktemp("results")
    scenario = tmp_path_factory.mktemp("scenario") / "small.yaml"
    found: dict[str, Any] = {"folder": folder}
    for policy in POLICIES:
        scenario.write_text(SCENARIO + f"policy: {policy}\n")
        result = run(load(scenario), out=folder / "mine" if policy == POLICIES[0] else None)
        counts = result.outcomes.counts
        found[policy] = (placement_check(result), counts["placed"], counts["rejected"])
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, results: dict[str, Any]) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "rack.yaml").write_text(ONE_RACK)
    options = ("--datacenter", str(folder / "rack.yaml"), "--results", str(results["folder"]))
    with ServerProcess(folder / "data", *options) as server:
        yield server


def experiment(call: Connection, experiment_id: str, **more: Any) -> dict[str, Any]:
    return call("listExperiments", id=experiment_id, **more)["experiment"][0]  # type: ignore[no-any-return]


def test_two_policies_on_one_workload_find_what_runs_of_their_own_find(
    call: Connection, results: dict[str, Any], served: ServerProcess
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
        assert check == results[found["policy"]]
        assert sum(found["bycause"].values()) == figures["rejected"] + figures["failed"]
        assert found["series"]["requested"][-1] == 60
        assert len(found["hosts"]["names"]) == 3 == len(found["hosts"]["cpu"][-1])
        assert sum(found["latencies"]["count"]) == figures["placed"]
    assert results[POLICIES[0]] != results[POLICIES[1]]
    file = call("getExperimentFile", id=made["id"], run=2, file="summary.json")["experimentfile"]
    assert json.loads(base64.b64decode(file["content"]))["scenario"]["policy"] == "worst-fit"
    assert "file" in refusal(call, "getExperimentFile", id=made["id"], run=2, file="../experiment.json")
    call("deleteExperiment", id=made["id"])
    assert not (served.data / "experiments" / made["id"]).exists()
    assert "no experiment" in refusal(call, "getExperimentResult", id=made["id"])


def test_results_of_a_run_elsewhere_open_like_one_s_own(call: Connection, results: dict[str, Any]) -> None:
    found = next(each for each in call("listExperiments")["experiment"] if each["name"] == "mine")
    assert found["type"] == "run" and found["state"] == "Finished"
    answer = call("getExperimentResult", id=found["id"], runs=1)["experimentresult"]
    assert answer["result"][0]["figures"]["placement_check"] == results["first-fit"][0]
    assert answer["result"][0]["series"]["requested"][-1] == 60
    assert "made elsewhere" in refusal(call, "deleteExperiment", id=found["id"])


def test_one_that_goes_on_is_ended_when_it_is_deleted(call: Connection, served: ServerProcess) -> None:
    made = call("createExperiment", scenario=LONG, policies="first-fit,best-fit,worst-fit")["experiment"]
    states = [each["state"] for each in experiment(call, made["id"])["run"]]
    assert states == ["Running", "Running", "Queued"]
    until(lambda: experiment(call, made["id"])["run"][0].get("requested", 0) > 10)
    call("deleteExperiment", id=made["id"])
    assert made["id"] not in {each["id"] for each in call("listExperiments")["experiment"]}
    assert not (served.data / "experiments" / made["id"]).exists()


def test_what_a_scenario_lacks_is_said_before_anything_starts(call: Connection) -> None:
    before = call("listExperiments")["count"]
    wrong = SCENARIO.replace("requests_in_all: 60", "requests_in_all: 60\n  start: 100")
    assert "Parameter scenario: " in refusal(call, "createExperiment", scenario=wrong, policies="first-fit")
    broken = SCENARIO.replace("hosts_per_rack: 3, host: {cores: 8", "hosts_per_rack: 3, host: {cores: 0")
    assert "Parameter scenario: " in refusal(call, "createExperiment", scenario=broken, policies="first-fit")
    assert call("listExperiments")["count"] == before


def test_scenarios_and_policies_can_be_chosen_from(call: Connection) -> None:
    scenarios = {each["name"]: each for each in call("listScenarios")["scenario"]}
    assert scenarios["sample"]["text"] == (FOLDER / "sample.yaml").read_text()
    policies = {each["name"]: each for each in call("listPlacementPolicies")["placementpolicy"]}
    assert {"first-fit", "best-fit"} <= policies.keys()
    assert {option["name"] for option in policies["best-fit"]["options"]} >= {"norm"}


def test_a_server_that_stops_says_later_that_it_did(tmp_path: Path) -> None:
    (tmp_path / "rack.yaml").write_text(ONE_RACK)
    with ServerProcess(tmp_path / "data", "--datacenter", str(tmp_path / "rack.yaml")) as server:
        call = server.connect()
        made = call("createExperiment", scenario=LONG, policies="first-fit")["experiment"]
        call.close()
        assert server.stop() == 0
    with ServerProcess(tmp_path / "data") as server:
        found = experiment(server.connect(), made["id"])
        assert found["state"] == "Interrupted" and "stopped" in found["run"][0]["error"]
