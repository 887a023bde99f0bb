"""What is left of a simulation's workloads and experiments when the server stops, paused or not, and starts again."""

from __future__ import annotations

from pathlib import Path

from tests.server.serving import ONE_RACK, ServerProcess
from tests.server.simulation.calls import deployment, until

LONG = """\
name: long
datacenter:
  uniform: {hosts_per_rack: 3, host: {cores: 8, memory_gib: 32}}
workload:
  format: poisson
  per_hour: 120
  requests_in_all: 50000
  lifetime: {mean: 3600}
  flavours: [{vcpu: 1, memory_mib: 1024}]
"""


def test_a_paused_server_stops_in_good_order_and_says_later_what_it_has_ended(tmp_path: Path) -> None:
    (tmp_path / "rack.yaml").write_text(ONE_RACK)
    options = ("--pace", "max", "--datacenter", str(tmp_path / "rack.yaml"))
    mix = {"mix[0].cpunumber": 1, "mix[0].memory": 512}
    with ServerProcess(tmp_path / "data", *options) as server:
        call = server.connect()
        experiment = call("createExperiment", scenario=LONG, policies="first-fit")["experiment"]["id"]
        call("startWorkload", name="cut", rate=60, limit=1000, lifetimedistribution="endless", **mix)
        until(lambda: call("listWorkloads")["workload"][0]["placed"] > 0)
        call("updateSimulation", pace="pause")
        alive = call("listVirtualMachines", listall=True, keyword="cut-")["count"]
        waiting = call("deployVirtualMachine", **deployment(call))["id"]
        call.close()
        assert server.stop() == 0
    with ServerProcess(tmp_path / "data", "--pace", "real") as server:
        call = server.connect()
        assert call("listWorkloads") == {}
        assert call("listVirtualMachines", listall=True, keyword="cut-")["count"] == alive > 0
        assert call("listVirtualMachines", id=waiting)["virtualmachine"][0]["state"] != "Running"
        events = call("listEvents", type="WORKLOAD.STOP", listall=True)["event"]
        assert [event["description"][:18] for event in events] == ["Workload cut ended"]
        found = call("listExperiments", id=experiment)["experiment"][0]
        assert found["state"] == "Interrupted" and "stopped" in found["run"][0]["error"]
        call.close()
