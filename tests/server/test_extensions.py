"""Extensions in a served cloud: their programs are processes, which neither hold the cloud up nor hurry its time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.serving import ONE_RACK, Connection, ServerProcess

PROGRAM = f"""#!{sys.executable}
import json, pathlib, sys, time

operation, payload = sys.argv[1], json.load(open(sys.argv[2]))
gate = pathlib.Path(__file__).parent / "gate"
if operation == "wait":
    gate.with_name("began").touch()
    gate.read_text()
    print(json.dumps({{"status": "success", "message": "the gate was opened", "printmessage": True}}))
else:
    print(json.dumps({{"status": "success", "power_state": {{}} if operation == "statuses" else "unknown"}}))
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerProcess]:
    (tmp_path / "rack.yaml").write_text(ONE_RACK)
    options = ("--pace", "max", "--datacenter", str(tmp_path / "rack.yaml"))
    made = ServerProcess(tmp_path / "data", *options)
    yield made
    made.kill()


def pace(call: Connection) -> str:
    """How fast the cloud's time goes just now."""
    return str(call("listSimulations")["simulation"][0]["currentpace"])


def deploy_external(call: Connection, extension: str) -> dict[str, Any]:
    """An instance of an External host of a new cluster, running."""
    zone, pod = call("listZones")["zone"][0]["id"], call("listPods")["pod"][0]["id"]
    where = {"zoneid": zone, "podid": pod, "hypervisor": "External"}
    cluster = call("addCluster", **where, clustername="ext", clustertype="CloudManaged", extensionid=extension)
    call("addHost", **where, clusterid=cluster["cluster"][0]["id"], url="node1", username="-", password="-")
    asked = {"name": "ext", "url": "http://backend/x", "format": "EXTERNAL", "hypervisor": "External"}
    template = call("registerTemplate", **asked, extensionid=extension)["template"][0]["id"]
    offering = call("listNetworkOfferings", name="DefaultL2NetworkOffering")["networkoffering"][0]["id"]
    network = call("createNetwork", name="flat", zoneid=zone, networkofferingid=offering)["network"]["id"]
    size = call("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"]
    job = call(
        "deployVirtualMachine", zoneid=zone, templateid=template, serviceofferingid=size, networkids=network, name="db"
    )
    made: dict[str, Any] = call.job(job["jobid"])["virtualmachine"]
    return made


def test_a_program_runs_beside_the_cloud_and_its_hosts_come_back_after_a_restart(
    served: ServerProcess, tmp_path: Path
) -> None:
    call = served.connect()
    folder = tmp_path / "data" / "extensions" / "mine"
    folder.mkdir(parents=True)
    (folder / "program.py").write_text(PROGRAM)
    (folder / "program.py").chmod(0o700)
    extension = call("createExtension", name="mine", type="Orchestrator", path="program.py")["extension"]
    assert extension["path"] == str(folder / "program.py")
    vm = deploy_external(call, extension["id"])
    assert (vm["state"], vm["hypervisor"]) == ("Running", "External")

    os.mkfifo(folder / "gate")
    asked = {"extensionid": extension["id"], "name": "wait", "enabled": "true", "resourcetype": "VirtualMachine"}
    action = call("addCustomAction", **asked, timeout=600)["extensioncustomaction"]["id"]
    job = call("runCustomAction", customactionid=action, resourceid=vm["id"])["jobid"]
    while not (folder / "began").exists():
        assert call("queryAsyncJobResult", jobid=job)["jobstatus"] == 0
    assert pace(call) == "real", "time waits for the program, though there is work"
    (folder / "gate").write_text("open")
    result = call.job(job)["customactionresult"]
    assert (result["success"], result["result"]["details"]) == (True, "the gate was opened")

    assert served.stop() == 0
    again = ServerProcess(tmp_path / "data", "--pace", "max")
    try:
        call = again.connect()
        states = {host["hypervisor"]: host["state"] for host in call("listHosts")["host"]}
        assert states == {"Simulator": "Up", "External": "Up"}
        done = call.job(call("rebootVirtualMachine", id=vm["id"])["jobid"])["virtualmachine"]
        assert done["state"] == "Running"
    finally:
        again.kill()
