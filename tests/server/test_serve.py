"""`cloudsim serve` as a process: first start, restart, signals, and what a user gets to see."""

from __future__ import annotations

import configparser
import json
import math
import signal
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from cs import CloudStack

from server.pacing import PaceType, pace_text
from tests.server.serving import ONE_RACK, Connection, Refused, ServerProcess

ZONES = "/client/api?command=listZones&response=json"


@pytest.fixture
def rack(tmp_path: Path) -> str:
    """The path of a small datacenter's description."""
    path = tmp_path / "rack.yaml"
    path.write_text(ONE_RACK)
    return str(path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that tests share, on the datacenter that it takes of itself."""
    with ServerProcess(tmp_path_factory.mktemp("shared") / "data", "--pace", "max") as server:
        yield server


def deployment(call: Any) -> dict[str, str]:
    """The parameters that every deployVirtualMachine needs."""
    return {
        "zoneid": call("listZones")["zone"][0]["id"],
        "templateid": call("listTemplates", templatefilter="featured")["template"][0]["id"],
        "serviceofferingid": call("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"],
    }


def deploy(call: Connection, **more: Any) -> dict[str, Any]:
    job = call("deployVirtualMachine", **deployment(call), **more)["jobid"]
    found: dict[str, Any] = call.job(job)["virtualmachine"]
    return found


def test_the_first_start_hands_over_credentials_that_only_the_owner_can_read(served: ServerProcess) -> None:
    for name in ("admin.json", "cloudstack.ini", "cloud.db"):
        assert stat.S_IMODE((served.data / name).stat().st_mode) == 0o600, name
    assert served.admin["endpoint"] == served.url + "/client/api"
    assert served.admin["username"] == "admin" and served.admin["password"] == "password"
    ini = configparser.ConfigParser()
    ini.read(served.data / "cloudstack.ini")
    assert ini["cloudstack"]["key"] == served.admin["apikey"]
    assert "admin / password" in served.output and "cs listZones" in served.output


def test_the_cs_client_deploys_an_instance_in_no_time(served: ServerProcess) -> None:
    ini = configparser.ConfigParser()
    ini.read(served.data / "cloudstack.ini")
    client = CloudStack(**dict(ini["cloudstack"]), poll_interval=0.05)
    zone = client.listZones()["zone"][0]
    assert zone["allocationstate"] == "Enabled"
    began = time.monotonic()
    vm = client.deployVirtualMachine(
        zoneid=zone["id"],
        templateid=client.listTemplates(templatefilter="featured")["template"][0]["id"],
        serviceofferingid=client.listServiceOfferings(name="Small Instance")["serviceoffering"][0]["id"],
        fetch_result=True,
    )["virtualmachine"]
    assert vm["state"] == "Running" and vm["hostname"]
    assert time.monotonic() - began < 10, "simulated time passes as fast as possible while a job runs"


def test_the_datacenter_is_built(served: ServerProcess) -> None:
    call = served.connect()
    hosts = call("listHosts", type="Routing")["host"]
    assert len(hosts) == 16 and {host["state"] for host in hosts} == {"Up"}
    assert call("listPods")["count"] == 2 and call("listClusters")["count"] == 4
    assert {pool["state"] for pool in call("listStoragePools")["storagepool"]} == {"Up"}
    assert call("listImageStores")["count"] == 1
    assert call("listPhysicalNetworks")["physicalnetwork"][0]["state"] == "Enabled"
    assert call("listTemplates", templatefilter="featured")["template"][0]["isready"] is True


def test_time_does_not_race_when_nothing_is_to_be_done(served: ServerProcess) -> None:
    call = served.connect()
    call("createDiskOffering", name="before", displaytext="before", disksize=1)
    time.sleep(1.0)
    call("createDiskOffering", name="after", displaytext="after", disksize=1)
    offerings = call("listDiskOfferings", pagesize=500, page=1)["diskoffering"]
    created = {o["name"]: time.strptime(o["created"][:19], "%Y-%m-%dT%H:%M:%S") for o in offerings}
    passed = time.mktime(created["after"]) - time.mktime(created["before"])
    assert 0 <= passed <= 60, "a second, and at most what writing to the disk took a hundredfold"


def test_a_cloud_that_cannot_keep_its_pace_still_answers_and_knows_its_clients_time(tmp_path: Path, rack: str) -> None:
    """A million times as fast as the wall: more events than the loop can do, and all signatures seem days old."""
    with ServerProcess(tmp_path / "data", "--datacenter", rack, "--pace", "1000000x") as server:
        ini = configparser.ConfigParser()
        ini.read(server.data / "cloudstack.ini")
        client = CloudStack(**dict(ini["cloudstack"]), expiration=timedelta(minutes=10))
        began = time.monotonic()
        for number in range(20):
            client.createDiskOffering(name=f"o{number}", displaytext="o", disksize=1)
        assert time.monotonic() - began < 60
        assert server.stop() == 0, server.output


def test_health_and_metrics(served: ServerProcess) -> None:
    status, text = served.get("/health")
    assert status == 200 and json.loads(text)["status"] == "up"
    status, text = served.get("/metrics")
    assert status == 200 and 'cloudsim_hosts{state="Up"} 16.0' in text


def test_a_restart_keeps_everything_and_the_instance_still_runs(tmp_path: Path, rack: str) -> None:
    data = tmp_path / "data"
    with ServerProcess(data, "--datacenter", rack, "--pace", "max") as server:
        admin = server.admin
        call = server.connect()
        vm = deploy(call, name="stays")
        gone = deploy(call, name="goes")
        call.job(call("destroyVirtualMachine", id=gone["id"], expunge="true")["jobid"])
        assert server.stop() == 0, server.output
    other = tmp_path / "other.yaml"
    other.write_text("zones: 2\n")
    with pytest.raises(AssertionError, match="holds a cloud on another datacenter"):
        ServerProcess(data, "--datacenter", str(other))
    with ServerProcess(data, "--datacenter", rack, "--pace", "max") as server:
        assert server.admin["apikey"] == admin["apikey"] and server.admin["password"] == "password"
        assert server.admin["endpoint"] == server.url + "/client/api"
        call = server.connect()
        (after,) = call("listVirtualMachines", listall="true")["virtualmachine"]
        same = ("id", "name", "state", "hostid", "ipaddress", "created")
        assert {name: after[name] for name in same} == {name: vm[name] for name in same}
        assert {host["state"] for host in call("listHosts", type="Routing")["host"]} == {"Up"}
        stopped = call.job(call("stopVirtualMachine", id=vm["id"])["jobid"])["virtualmachine"]
        assert stopped["state"] == "Stopped", "the host knew the instance that it was asked to stop"
        started = call.job(call("startVirtualMachine", id=vm["id"])["jobid"])["virtualmachine"]
        assert started["state"] == "Running"
        assert started["lastupdated"] >= vm["lastupdated"], "time does not go back"
        assert server.stop(signal.SIGINT) == 0, server.output


def test_credentials_from_the_environment_and_a_port_without_any(tmp_path: Path, rack: str) -> None:
    environment = {
        "CLOUDSIM_ADMIN_PASSWORD": "a password of mine",
        "CLOUDSIM_ADMIN_API_KEY": "my-key",
        "CLOUDSIM_ADMIN_SECRET_KEY": "100% secret",
    }
    options = ("--datacenter", rack, "--integration-port", "0")
    with ServerProcess(tmp_path / "data", *options, environment=environment) as server:
        assert server.admin["password"] == "a password of mine"
        assert (server.admin["apikey"], server.admin["secretkey"]) == ("my-key", "100% secret")
        ini = configparser.ConfigParser()
        ini.read(tmp_path / "data" / "cloudstack.ini")
        assert ini["cloudstack"]["secret"] == "100% secret"
        assert server.connect()("listZones")["count"] == 1
        status, text = server.get(ZONES)
        assert status == 401 and "a password of mine" not in server.output
        (line,) = [line for line in server.lines if "Without keys" in line]
        server.url = line.split()[2].removesuffix("/client/api")
        status, text = server.get(ZONES)
        assert status == 200 and json.loads(text)["listzonesresponse"]["count"] == 1


def test_one_key_without_the_other_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="are set together"):
        ServerProcess(tmp_path / "data", environment={"CLOUDSIM_ADMIN_API_KEY": "alone"})


class TestRefusals:
    def test_a_data_directory_in_use(self, served: ServerProcess) -> None:
        with pytest.raises(AssertionError, match="in use by another manager"):
            ServerProcess(served.data)

    def test_a_port_in_use(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            with pytest.raises(AssertionError, match=f"cannot listen at 127.0.0.1, port {port}"):
                ServerProcess(tmp_path / "data", "--port", port)
        assert not (tmp_path / "data").exists()

    def test_a_description_with_a_mistake(self, tmp_path: Path) -> None:
        path = tmp_path / "wrong.yaml"
        path.write_text("zones:\n  - pods:\n      - racks:\n          - hots: 4\n")
        with pytest.raises(AssertionError, match=r"wrong.yaml:4: .*hots"):
            ServerProcess(tmp_path / "data", "--datacenter", str(path))

    @pytest.mark.parametrize("pace", ["fast", "0x", "-1x", "x", "nanx", "1e9x", "99999999x", ""])
    def test_a_pace_that_is_none(self, pace: str) -> None:
        with pytest.raises(click.BadParameter, match="is not a pace"):
            PaceType().convert(pace, None, None)


def test_paces() -> None:
    read = [PaceType().convert(text, None, None) for text in ("real", "10x", "0.5X", "max")]
    assert read == [1.0, 10.0, 0.5, math.inf]
    assert [pace_text(rate) for rate in read] == ["real", "10x", "0.5x", "max"]


def test_requests_that_run_when_the_server_is_stopped_are_answered(tmp_path: Path, rack: str) -> None:
    with ServerProcess(tmp_path / "data", "--datacenter", rack) as server:
        answers: list[str] = []
        connections = [server.connect() for _ in range(4)]

        def load(call: Connection) -> None:
            try:
                for number in range(1000):
                    call("createDiskOffering", name=f"{id(call)} {number}", displaytext="x", disksize=1)
                    answers.append("done")
            except Refused as refused:
                answers.append(f"refused {refused.status}")
            except OSError:
                answers.append("not answered")

        threads = [threading.Thread(target=load, args=[call]) for call in connections]
        for thread in threads:
            thread.start()
        # Not a fixed time: collecting this process's garbage alone may take as long as half a second.
        deadline = time.monotonic() + 30
        while len(answers) < 40:
            assert time.monotonic() < deadline, answers
            time.sleep(0.005)
        assert server.stop() == 0, server.output
        for thread in threads:
            thread.join(30)
        done = answers.count("done")
        assert done >= 40 and len(answers) == done + 4, answers
    with ServerProcess(tmp_path / "data") as server:
        offerings = server.connect()("listDiskOfferings", pagesize=1, page=1)
        assert offerings["count"] == 4 + done, "those that a cloud begins with, and what was answered: no less, no more"


def test_a_database_that_cannot_be_written_stops_the_server(tmp_path: Path, rack: str) -> None:
    with ServerProcess(tmp_path / "data", "--datacenter", rack, "--host", "0.0.0.0") as server:
        assert len(server.admin["password"]) >= 20, "a random one, since others can reach the server"
        assert server.admin["password"] not in server.output
        assert server.admin["endpoint"].startswith("http://127.0.0.1:")
        call = server.connect()
        with sqlite3.connect(tmp_path / "data" / "cloud.db") as broken:
            broken.execute("CREATE TRIGGER broken BEFORE INSERT ON disk_offering BEGIN SELECT RAISE(ABORT, 'no room'); END")
        broken.close()
        with pytest.raises(Refused):
            call("createDiskOffering", name="lost", displaytext="lost", disksize=1)
        assert server.process.wait(30) == 1
        server._reader.join(10)
        assert "Error: the database cannot be written" in server.output and "no room" in server.output
