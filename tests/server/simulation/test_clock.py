"""The clock of a served simulation, set through the API."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.serving import Connection, Refused, ServerProcess
from tests.server.simulation.calls import deployment, refusal, until


def shown(call: Connection) -> dict[str, Any]:
    found: dict[str, Any] = call("listSimulations")["simulation"][0]
    return found


def elapsed(call: Connection) -> float:
    return float(shown(call)["elapsed"])


def test_the_simulation_says_what_it_is(call: Connection) -> None:
    found = shown(call)
    assert (found["name"], found["state"], found["pace"]) == ("datacenter", "Running", "max")
    assert found["hosts"] >= 4 and found["latency"] == "default" and found["seed"].isdigit()
    assert found["eventspersecond"] > 0


def test_a_pause_stops_the_clock_and_not_the_api(call: Connection) -> None:
    parameters = deployment(call)
    paused = call("updateSimulation", pace="pause")["simulation"]
    assert paused["state"] == "Paused" and paused["currentpace"] == "pause"
    before = elapsed(call)
    job = call("deployVirtualMachine", **parameters)
    assert call("queryAsyncJobResult", jobid=job["jobid"])["jobstatus"] == 0
    assert call("listVirtualMachines", id=job["id"])["virtualmachine"][0]["state"] != "Running"
    call("updateZone", id=parameters["zoneid"], dns2="192.0.2.53")  # durable, and at once
    user, password = "admin", "password"
    assert call("login", username=user, password=password)["username"] == user
    time.sleep(0.3)
    assert elapsed(call) == before
    call("updateSimulation", pace="resume")
    assert call.job(job["jobid"])["virtualmachine"]["state"] == "Running"
    assert elapsed(call) > before
    assert shown(call)["pace"] == "max"


def test_what_waits_for_time_that_stands_still_is_told_so(call: Connection) -> None:
    cluster = call("listClusters")["cluster"][0]
    call("updateSimulation", pace="pause")
    with pytest.raises(Refused) as refused:
        call(
            "addHost",
            zoneid=cluster["zoneid"],
            podid=cluster["podid"],
            clusterid=cluster["id"],
            hypervisor="Simulator",
            url="http://sim/another",
            username="u",
            password="p",
        )
    assert "paused" in next(iter(refused.value.body.values()))["errortext"]
    before = call("listHosts", type="Routing")["count"]
    call("updateSimulation", pace="max")  # what was begun goes on
    until(lambda: call("listHosts", type="Routing")["count"] == before + 1)


@pytest.mark.parametrize(("asked", "pace"), [("10x", "10x"), ("1x", "real"), ("real", "real")])
def test_a_pace_is_kept(call: Connection, asked: str, pace: str) -> None:
    found = call("updateSimulation", pace=asked)["simulation"]
    assert (found["pace"], found["currentpace"], found["state"]) == (pace, pace, "Running")


def test_a_factor_is_never_exceeded(call: Connection) -> None:
    call("updateSimulation", pace="100x")
    began = time.monotonic()
    before = elapsed(call)
    while (gone := elapsed(call) - before) < 60:
        time.sleep(0.05)
    assert gone <= 100 * (time.monotonic() - began)


@pytest.mark.parametrize("wrong", ["fast", "0x", "-1x", "nanx", "1e9x", " "])
def test_a_wrong_pace_is_refused_by_name_and_changes_nothing(call: Connection, wrong: str) -> None:
    before = shown(call)["pace"]
    assert "pace" in refusal(call, "updateSimulation", pace=wrong)
    assert shown(call)["pace"] == before


def test_only_root_admins_have_it(call: Connection, served: ServerProcess) -> None:
    role = next(r for r in call("listRoles")["role"] if r["type"] == "User")
    account = call(
        "createAccount",
        username="ann",
        password="secret",
        email="ann@example.org",
        firstname="Ann",
        lastname="Example",
        roleid=role["id"],
    )["account"]
    keys = call("registerUserKeys", id=account["user"][0]["id"])["userkeys"]
    ann = served.connect()
    ann._served = type("As", (), {"admin": keys | {"secretkey": keys["secretkey"]}})()  # type: ignore[assignment]
    offered = {api["name"] for api in ann("listApis")["api"]}
    assert "listZones" in offered and not {"listSimulations", "updateSimulation"} & offered
    with pytest.raises(Refused):
        ann("listSimulations")


def test_a_cloud_on_real_hosts_has_no_simulation(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--kind", "kvm", "--agents-port", "0") as served:
        call = served.connect()
        offered = {api["name"] for api in call("listApis")["api"]}
        assert "listZones" in offered and not {name for name in offered if "imulation" in name}
        with pytest.raises(Refused) as refused:
            call("updateSimulation", pace="pause")
        error = next(iter(refused.value.body.values()))
        assert refused.value.status == 432 and "needs a simulated datacenter" in error["errortext"]
