"""Faults injected into a served simulation through the API, and what they do to the cloud."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from cloudsim.faults import Fault, ManagerRestart
from server.simulation.fault_types import FAULT_TYPES
from tests.server.serving import Connection
from tests.server.simulation.calls import refusal, until


def hosts(call: Connection) -> list[dict[str, Any]]:
    return call("listHosts", type="Routing")["host"]  # type: ignore[no-any-return]


def state(call: Connection, host_id: str) -> str:
    return str(call("listHosts", id=host_id)["host"][0]["state"])


def fault(call: Connection, fault_id: str) -> dict[str, Any]:
    return call("listFaults", id=fault_id)["fault"][0]  # type: ignore[no-any-return]


def test_every_fault_but_a_restart_of_the_manager_can_be_chosen() -> None:
    assert {each.kind for each in FAULT_TYPES.values()} == set(get_args(Fault)) - {ManagerRestart}


def test_kinds_of_faults_say_what_they_take(call: Connection) -> None:
    found = {each["name"]: each for each in call("listFaultTypes")["faulttype"]}
    assert found["HostCrash"]["targettype"] == "host" and found["HostCrash"]["defaulttarget"] == "random"
    assert found["SlowDisk"]["options"] == [{"name": "factor", "default": 10.0, "above": 1.0}]
    assert found["MessageLoss"]["options"] == [{"name": "rate", "above": 0.0, "maximum": 1.0}]


def test_targets_are_those_of_the_datacenter_and_say_which_host_of_the_cloud_they_are(call: Connection) -> None:
    known = {host["id"]: host["name"] for host in hosts(call)}
    answer = call("listFaultTargets", type="HostCrash")
    assert answer["count"] == len(known) >= 4
    assert {each["hostid"]: each["hostname"] for each in answer["faulttarget"]} == known
    links = call("listFaultTargets", type="LinkCut", keyword="rack-1", page=1, pagesize=2)
    assert links["count"] > 4 and len(links["faulttarget"]) == 2
    assert call("listFaultTargets", type="SlowDisk")["faulttarget"][0]["type"] == "pool"


def test_a_host_that_crashes_goes_down_and_comes_back_when_it_is_healed(call: Connection) -> None:
    host = hosts(call)[0]
    made = call("injectFault", type="HostCrash", hostid=host["id"])["fault"]
    assert made["state"] == "Active" and made["strikes"] == 1 and made["active"][0].endswith("host-1")
    call("updateSimulation", pace="1000x")
    until(lambda: state(call, host["id"]) in ("Down", "Alert"))
    assert [each["id"] for each in call("listFaults", active=True)["fault"]] == [made["id"]]
    healed = call("healFault", id=made["id"])["fault"]
    assert healed["state"] == "Healed" and "ended" in healed and not healed["active"]
    until(lambda: state(call, host["id"]) == "Up")
    assert "healed" in refusal(call, "healFault", id=made["id"]).lower()


def test_a_fault_with_a_duration_ends_by_itself(call: Connection) -> None:
    call("updateSimulation", pace="pause")
    made = call("injectFault", type="MessageDelay", target="*/host-2", delay=5, duration=20, **option("seconds", 0.1))
    assert made["fault"]["state"] == "Scheduled" and made["fault"]["options"] == {"seconds": 0.1}
    call("updateSimulation", pace="100x")
    until(lambda: fault(call, made["fault"]["id"])["state"] == "Over")
    assert fault(call, made["fault"]["id"])["strikes"] == 1


def test_a_fault_that_comes_again_waits_for_its_next_time_until_it_is_healed(call: Connection) -> None:
    made = call("injectFault", type="PoolFull", every=50, duration=1)["fault"]
    assert made["state"] == "Scheduled"
    call("updateSimulation", pace="1000x")
    until(lambda: fault(call, made["id"])["strikes"] >= 3)
    call("healFault", id=made["id"])
    healed = fault(call, made["id"])
    assert healed["state"] == "Healed" and healed["struck"]


def option(name: str, value: float) -> dict[str, Any]:
    return {"options[0].key": name, "options[0].value": value}


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"type": "Earthquake"}, "type"),
        ({"type": "ManagerRestart"}, "type"),
        ({"type": "HostCrash", "target": "nowhere"}, "target"),
        ({"type": "HostCrash", "duration": -1}, "duration"),
        ({"type": "HostCrash", "delay": -1}, "delay"),
        ({"type": "HostCrash", "every": 0}, "every"),
        ({"type": "HostCrash", **option("factor", 2)}, "options"),
        ({"type": "MessageLoss"}, "options: expected rate"),
        ({"type": "MessageLoss", **option("rate", 2)}, "options: rate"),
    ],
)
def test_a_wrong_fault_is_refused_by_the_name_of_its_parameter(
    call: Connection, parameters: dict[str, Any], named: str
) -> None:
    before = call("listFaults").get("count", 0)
    assert f"Parameter {named}" in refusal(call, "injectFault", **parameters)
    assert call("listFaults").get("count", 0) == before


def test_a_host_that_is_off_cannot_crash(call: Connection) -> None:
    host = hosts(call)[3]
    made = call("injectFault", type="HostCrash", hostid=host["id"])["fault"]
    assert "can do nothing" in refusal(call, "injectFault", type="HostCrash", hostid=host["id"])
    call("healFault", id=made["id"])
