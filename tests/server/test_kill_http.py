"""Whatever the API has acknowledged is there after kill -9 of a real server under load."""

from __future__ import annotations

import http.client
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.serving import ONE_RACK, Connection, ServerProcess

CLIENTS = 4
LEAST = 10
"""Changes that each life of the server acknowledges before it is killed."""


class Client:
    """Changes things of its own, one after the other, and keeps book of what was acknowledged.

    In each round it makes a disk offering, renames it, deletes every other one, and deploys an instance without
    starting it. In the first round of each of the server's lives it starts the instance too.
    """

    def __init__(self, number: int, deployment: dict[str, str]) -> None:
        self.name = f"client-{number}"
        self.deployment = deployment
        self.round = 0
        self.there: dict[str, str] = {}
        """Name by id of offerings that were acknowledged."""
        self.maybe: set[str] = set()
        """Ids of offerings that a request was under way for when the server died."""
        self.gone: set[str] = set()
        self.instances: set[str] = set()
        self.running: set[str] = set()
        self.acknowledged = 0

    def work(self, call: Connection) -> None:
        """Until the server is dead."""
        self.maybe.clear()
        try:
            self._start_one(call)
            while True:
                self._one_round(call)
        except (OSError, http.client.HTTPException):
            return

    def _start_one(self, call: Connection) -> None:
        started = call("deployVirtualMachine", **self.deployment)
        self.instances.add(started["id"])
        call.job(started["jobid"])
        self.running.add(started["id"])
        self.acknowledged += 2

    def _one_round(self, call: Connection) -> None:
        self.round += 1
        name = f"{self.name} {self.round}"
        offering = call("createDiskOffering", name=name, displaytext=name, disksize=1)["diskoffering"]["id"]
        self._note(offering, name)
        self.maybe.add(offering)
        call("updateDiskOffering", id=offering, name=f"{name} renamed")
        self._note(offering, f"{name} renamed")
        if self.round % 2:
            call("deleteDiskOffering", id=offering)
            del self.there[offering]
            self.gone.add(offering)
            self.acknowledged += 1
        self.maybe.discard(offering)
        self.instances.add(call("deployVirtualMachine", startvm="false", **self.deployment)["id"])
        self.acknowledged += 1

    def _note(self, offering: str, name: str) -> None:
        self.there[offering] = name
        self.acknowledged += 1

    def check(self, offerings: dict[str, str], instances: set[str], running: set[str]) -> None:
        """Nothing that was acknowledged is lost, nothing that was deleted is back."""
        for offering, name in self.there.items():
            if offering in self.maybe:  # the next change was under way, and may have happened
                assert offerings.get(offering, name) in (name, f"{name} renamed")
            else:
                assert offerings.get(offering) == name
        assert not self.gone & offerings.keys()
        assert self.instances <= instances
        assert self.running <= running, "an instance that ran does run"
        for offering in self.maybe - offerings.keys():
            self.there.pop(offering, None)
        for offering in self.maybe & offerings.keys():
            self.there[offering] = offerings[offering]


def everything(call: Connection, command: str, key: str, **more: str) -> dict[str, str]:
    """Name by id of all that a list command lists."""
    found: dict[str, str] = {}
    page = 1
    while rows := call(command, listall="true", pagesize=500, page=page, **more).get(key):
        found |= {row["id"]: row["name"] for row in rows}
        page += 1
    return found


def deployment(call: Connection) -> dict[str, Any]:
    return {
        "zoneid": call("listZones")["zone"][0]["id"],
        "templateid": call("listTemplates", templatefilter="featured")["template"][0]["id"],
        "serviceofferingid": call("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"],
    }


def acknowledged(clients: list[Client]) -> int:
    return sum(client.acknowledged for client in clients)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=pytest.mark.slow)])
def test_what_was_acknowledged_is_there_after_each_kill(tmp_path: Path, kills: int) -> None:
    chance = random.Random(20)
    rack = tmp_path / "rack.yaml"
    rack.write_text(ONE_RACK)
    options = ("--pace", "max", "--datacenter", str(rack))
    clients: list[Client] = []
    for _ in range(kills + 1):
        with ServerProcess(tmp_path / "data", *options) as server:
            call = server.connect()
            if not clients:
                clients = [Client(number, deployment(call)) for number in range(CLIENTS)]
            offerings = everything(call, "listDiskOfferings", "diskoffering")
            instances = everything(call, "listVirtualMachines", "virtualmachine")
            running = everything(call, "listVirtualMachines", "virtualmachine", state="Running")
            for client in clients:
                client.check(offerings, set(instances), set(running))
            threads = [threading.Thread(target=c.work, args=[server.connect()]) for c in clients]
            for thread in threads:
                thread.start()
            before, end = acknowledged(clients), time.monotonic() + 90
            while acknowledged(clients) < before + LEAST:
                assert time.monotonic() < end, "nothing is acknowledged"
                time.sleep(0.005)
            time.sleep(chance.uniform(0.0, 0.4))
            server.kill()
            for thread in threads:
                thread.join(120)


def test_a_first_start_that_is_killed_is_followed_by_a_first_start(tmp_path: Path) -> None:
    """Killed at any time, the folder holds a whole cloud with its keys, or none."""
    chance = random.Random(3)
    rack = tmp_path / "rack.yaml"
    rack.write_text(ONE_RACK)
    for attempt in range(2):
        data = tmp_path / str(attempt)
        process = ServerProcess.launch(data, "--datacenter", str(rack))
        deadline = time.monotonic() + 60
        while not (data / "datacenter.yaml").exists():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.3))
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        with ServerProcess(data) as server:
            call = server.connect()
            assert call("listHosts", type="Routing")["count"] == 4
            assert call("listZones")["zone"][0]["allocationstate"] == "Enabled"
