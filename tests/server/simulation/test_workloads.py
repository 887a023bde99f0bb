"""Workloads in a served simulation, started and stopped through the API."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from cloudsim.experiment.traces.flavours import WeightedFlavour
from cloudsim.experiment.traces.generated import PoissonTrace
from cloudsim.experiment.traces.lifetimes import Lifetime
from cloudsim.randomness import Randomness
from server.simulation.examples import FOLDER
from tests.server.serving import Connection, ServerProcess
from tests.server.simulation.calls import refusal, until

SMALL = {"mix[0].cpunumber": 1, "mix[0].memory": 512}
HUGE = {"mix[0].cpunumber": 1000, "mix[0].memory": 512}


def workload(call: Connection, workload_id: str, **more: Any) -> dict[str, Any]:
    return call("listWorkloads", id=workload_id, **more)["workload"][0]  # type: ignore[no-any-return]


def ended(call: Connection, workload_id: str) -> dict[str, Any]:
    until(lambda: workload(call, workload_id)["state"] == "Ended")
    return workload(call, workload_id, series=True)


def instances(call: Connection, name: str) -> list[dict[str, Any]]:
    found = call("listVirtualMachines", listall=True, keyword=name, page=1, pagesize=500)
    return found.get("virtualmachine", [])  # type: ignore[no-any-return]


def test_every_request_becomes_an_instance_that_lives_its_time(call: Connection) -> None:
    made = call("startWorkload", name="brief", rate=600, limit=30, lifetime=600, seed=7, **SMALL)["workload"]
    assert made["state"] == "Running" and made["limit"] == 30 and made["trace"] == "poisson"
    found = ended(call, made["id"])
    assert (found["requested"], found["placed"], found["rejected"], found["failed"]) == (30, 30, 0, 0)
    assert found["instances"] == 0 and not instances(call, "brief-")
    assert 0 < found["latencyp50"] <= found["latencyp95"] <= found["latencyp99"]
    series = found["series"]
    assert series["requested"][-1] == 30 and max(series["instances"]) > 0
    assert series["time_s"] == sorted(series["time_s"]) and max(series["cpu"]) > 0


def test_requests_come_when_the_seed_says(call: Connection, served: ServerProcess) -> None:
    trace = PoissonTrace(
        requests_in_all=1000,
        lifetime=Lifetime(mean=3600),
        flavours=(WeightedFlavour(vcpu=1, memory_mib=512),),
        per_hour=3600,
    )
    expected = [request.arrival_ms / 1000 for request in trace.requests(FOLDER, Randomness(11))]
    made = call("startWorkload", name="seeded", rate=3600, limit=1000, seed=11, **HUGE)["workload"]
    found = ended(call, made["id"])
    assert found["requested"] == 1000
    rows = call("listWorkloadRequests", id=made["id"], page=1, pagesize=500)
    assert rows["count"] == 1000 and rows["workloadrequest"][0]["number"] == 1000
    assert found["series"]["time_s"][-1] >= expected[-1]
    assert 800 < len([each for each in expected if each <= 1000]) < 1200


def test_what_has_no_room_is_rejected_and_every_rejection_is_an_event(call: Connection) -> None:
    made = call("startWorkload", name="toobig", rate=3600, limit=25, lifetime=60, **HUGE)["workload"]
    found = ended(call, made["id"])
    assert (found["requested"], found["placed"], found["rejected"]) == (25, 0, 25)
    assert sum(found["bycause"].values()) == 25
    events = call("listEvents", type="VM.CREATE", level="ERROR", listall=True, page=1, pagesize=500)["event"]
    ids = {event["resourceid"] for event in events}
    rows = call("listWorkloadRequests", id=made["id"], page=1, pagesize=500)["workloadrequest"]
    assert Counter(row["outcome"] for row in rows) == {"rejected": 25}
    assert {row["cause"] for row in rows} == set(found["bycause"])
    assert len(ids) >= 25


def test_one_that_is_stopped_brings_no_more_and_leaves_nothing_behind(call: Connection) -> None:
    offering = call("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"]
    mix = {"mix[0].serviceofferingid": offering, "mix[0].weight": 2}
    asked = {"rate": 3600, "limit": 100_000, "lifetimedistribution": "endless"}
    made = call("startWorkload", name="endless", **asked, **mix)["workload"]
    until(lambda: workload(call, made["id"])["placed"] >= 5)
    assert "running" in refusal(call, "startWorkload", name="endless", rate=1, **SMALL)
    alive = instances(call, "endless-")
    assert alive and {vm["serviceofferingid"] for vm in alive} == {offering}
    row = call("listWorkloadRequests", id=made["id"], outcome="placed", page=1, pagesize=1)["workloadrequest"][0]
    assert row["virtualmachinename"].startswith("endless-") and row["hostname"]
    call("stopWorkload", id=made["id"], destroy=True)
    found = ended(call, made["id"])
    assert found["stopped"] is True and found["requested"] < 100_000 and found["instances"] == 0
    assert not instances(call, "endless-")
    assert "ended" in refusal(call, "stopWorkload", id=made["id"])


def test_a_known_trace_is_played(call: Connection) -> None:
    traces = {each["name"]: each for each in call("listWorkloadTraces")["workloadtrace"]}
    assert traces["sample"]["format"] == "table"
    made = call("startWorkload", name="sampled", trace="sample", limit=20, interarrival=0.1)["workload"]
    until(lambda: workload(call, made["id"])["requested"] == 20)
    call("stopWorkload", id=made["id"], destroy=True)
    found = ended(call, made["id"])
    assert found["placed"] + found["rejected"] == 20 and found["failed"] == 0


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "rate"),
        ({"rate": 0}, "rate"),
        ({"rate": -5}, "rate"),
        ({"rate": 1, "trace": "sample"}, "rate"),
        ({"trace": "nothing"}, "trace"),
        ({"trace": "../sample"}, "trace"),
        ({"trace": "sample", "lifetime": 5}, "lifetime"),
        ({"trace": "sample", "interarrival": 0}, "interarrival"),
        ({"rate": 1, "interarrival": 2}, "interarrival"),
        ({"rate": 1, "limit": 0}, "limit"),
        ({"rate": 1, "limit": 100_001}, "limit"),
        ({"rate": 1, "lifetime": 0}, "lifetime"),
        ({"rate": 1, "lifetimedistribution": "pareto", "alpha": 1}, "alpha"),
        ({"rate": 1, "dailyswing": 2}, "dailyswing"),
        ({"rate": 1, "seed": -1}, "seed"),
        ({"rate": 1, "name": "-x"}, "name"),
        ({"rate": 1, "mix[0].cpunumber": 1}, "mix[0]"),
        ({"rate": 1, "mix[0].cpunumber": 1, "mix[0].memory": "much"}, "mix[0]"),
        ({"rate": 1, "mix[0].cpunumber": 1, "mix[0].memory": 4}, "trace"),
        ({"rate": 1, "mix[0].serviceofferingid": "x"}, "mix[0]"),
        ({"rate": 1, "mix[0].cpunumber": 1, "mix[0].memory": 64, "mix[0].weight": 0}, "mix[0]"),
    ],
)
def test_a_wrong_workload_is_refused_by_the_name_of_its_parameter(
    call: Connection, parameters: dict[str, Any], named: str
) -> None:
    before = call("listWorkloads").get("count", 0)
    assert f"Parameter {named}" in refusal(call, "startWorkload", **parameters)
    assert call("listWorkloads").get("count", 0) == before
