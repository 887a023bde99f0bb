"""The example that builds two zones through the public API, in a datacenter in which there is nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.serving import Connection, ServerProcess

SANDBOX = Path(__file__).resolve().parents[2] / "examples" / "sandbox"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path / "data", "--pace", "max", "--datacenter", str(SANDBOX / "nothing.yaml"))
    yield made
    made.stop()


def test_instances_run_in_both_zones_that_the_example_builds(served: ServerProcess) -> None:
    environment = {**os.environ, "CLOUDSTACK_CONFIG": str(served.data / "cloudstack.ini")}
    argv = [sys.executable, str(SANDBOX / "build.py"), str(SANDBOX / "zones.yaml")]
    built = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    call = Connection(served)
    zones = {zone["id"]: zone for zone in call("listZones")["zone"]}
    assert sorted(zones) == sorted(built.stdout.split())
    assert sorted(zone["networktype"] for zone in zones.values()) == ["Advanced", "Basic"]
    assert {host["state"] for host in call("listHosts", type="Routing")["host"]} == {"Up"}
    template = call("listTemplates", templatefilter="featured")["template"][0]["id"]
    offering = call("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"]
    for zone_id, zone in zones.items():  # where accounts have networks of their own there is no other
        guests = call("listNetworks", zoneid=zone_id, listall=True).get("network", [])
        assert [network["name"] for network in guests] == (
            [] if zone["networktype"] == "Advanced" else ["guestNetworkForBasicZone"]
        )
    for zone_id in zones:
        asked = call("deployVirtualMachine", zoneid=zone_id, templateid=template, serviceofferingid=offering)
        vm = call.job(asked["jobid"])["virtualmachine"]
        assert vm["state"] == "Running" and vm["nic"][0]["ipaddress"].startswith(
            "10.1.1." if zones[zone_id]["networktype"] == "Advanced" else "60.147.41."
        )
    call.close()
