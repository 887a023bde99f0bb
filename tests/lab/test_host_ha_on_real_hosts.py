"""Broken hosts among real ones: found, switched on again, or switched off and their instances started elsewhere.

The lab's hosts have no management controllers. A program in the place of ipmitool stands for them: it cuts and restores
the power of the host whose number its address ends with.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.lab.errors import LabError
from server.lab.building import restart_manager
from tests.lab.faults import Watch
from tests.lab.lab_cloud import LabCloud, eventually, lab_cloud

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

IPMITOOL = """#!{python}
import sys
from pathlib import Path
from backends.lab.lab import Lab

words = sys.argv[1:]
number = int(words[words.index("-H") + 1].rpartition("-")[2])
host = Lab(Path("{lab}")).host(number)
asked = words[-1]
if asked in ("off", "reset", "cycle") and host.is_on:
    host.kill()
if asked in ("on", "reset", "cycle") and not host.is_on:
    if (Path(__file__).parent / f"broken-{{number}}").exists():
        sys.exit("Error: the power supply has failed")
    host.power_on()
print("Chassis Power is " + ("on" if host.is_on else "off"))
"""
MINUTES = 400.0
NUMBERS = itertools.count(1)
SETTINGS = {
    "ping.interval": 5,
    "kvm.ha.health.check.timeout": 10,  # a host is not heard for a moment where there is much else to do
    "kvm.ha.activity.check.interval": 2,
    "kvm.ha.activity.check.max.attempts": 2,
    "kvm.ha.recover.wait.period": 30,
    "investigate.retry.interval": 3600,
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that is first on the manager's PATH."""
    folder = tmp_path_factory.mktemp("programs")
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{before}"
    yield folder
    os.environ["PATH"] = before


@pytest.fixture(scope="module")
def cloud(
    programs: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LabCloud]:
    for cloud in lab_cloud(tmp_path_factory.mktemp("cloud"), 2, request, wait_for_guest=0.0):
        program = programs / "ipmitool"
        program.write_text(IPMITOOL.format(python=sys.executable, lab=cloud.lab.folder))
        program.chmod(0o700)
        for name, value in SETTINGS.items():
            cloud.cs.updateConfiguration(name=name, value=value)
        restart_manager(cloud.lab)  # agents are told of the interval when they connect
        all_are_up(cloud)
        for host in cloud.hosts().values():
            watched(cloud, host)
        yield cloud


def all_are_up(cloud: LabCloud) -> None:
    eventually("all hosts", lambda: all(host["state"] == "Up" for host in cloud.hosts().values()), MINUTES)


def watched(cloud: LabCloud, host: dict[str, Any]) -> None:
    number = cloud.host(host["name"]).number
    cloud.cs.configureOutOfBandManagement(
        hostid=host["id"],
        driver="ipmitool",
        address=f"controller-{number}",
        port=623,
        username="admin",
        password="secret",
    )
    cloud.job("enableOutOfBandManagementForHost", hostid=host["id"])
    cloud.job("configureHAForHost", hostid=host["id"], provider="kvmhaprovider")
    cloud.job("enableHAForHost", hostid=host["id"])
    eventually("a watched host", lambda: ha(cloud, host["name"]) == "Available")


def runs(vm: dict[str, Any]) -> str | None:
    """Where it runs, as one answer of the API has it."""
    return str(vm["hostname"]) if vm["state"] == "Running" else None


def ha(cloud: LabCloud, name: str) -> str:
    return str(cloud.hosts()[name]["hostha"]["hastate"])


@pytest.fixture(autouse=True)
def well(cloud: LabCloud, programs: Path) -> None:
    """What another try of a test may have left is mended."""
    for broken in programs.glob("broken-*"):
        broken.unlink()
    for host in cloud.lab.hosts:
        with contextlib.suppress(LabError):  # it is being switched on just now
            if not host.is_on:
                host.power_on()
    all_are_up(cloud)
    for shown in cloud.hosts().values():
        if shown["resourcestate"] == "Maintenance":
            cloud.job("cancelHostMaintenance", id=shown["id"])
    for name in cloud.hosts():
        eventually(f"health of {name}", lambda name=name: ha(cloud, name) == "Available", MINUTES)  # type: ignore[misc]


def available(cloud: LabCloud, name: str) -> dict[str, Any]:
    """An instance with high availability of its own."""
    name = f"{name}-{next(NUMBERS)}"
    offering = cloud.cs.createServiceOffering(
        name=name, displaytext=name, cpunumber=1, cpuspeed=500, memory=128, offerha=True
    )["serviceoffering"]
    return cloud.deploy(name, serviceofferingid=offering["id"])


def test_a_host_without_power_is_switched_on_again(cloud: LabCloud) -> None:
    vm = available(cloud, "first")
    name = vm["hostname"]
    with Watch(cloud) as watch:
        cloud.host(name).kill()
        eventually("its recovery", lambda: ha(cloud, name) == "Recovered", MINUTES)
        assert cloud.host(name).is_on
        eventually("the host", lambda: cloud.hosts()[name]["state"] == "Up", MINUTES)
        eventually("the instance", lambda: len(cloud.running_on(vm["instancename"])) == 1, MINUTES)
        eventually("its row", lambda: runs(cloud.vm(vm["id"])) is not None)
        eventually("health", lambda: ha(cloud, name) == "Available", MINUTES)
    assert watch.on_two_hosts == set()


def test_a_host_that_does_not_start_is_fenced_and_its_instance_runs_elsewhere(
    cloud: LabCloud, programs: Path
) -> None:
    vm = available(cloud, "second")
    name = vm["hostname"]
    broken = programs / f"broken-{cloud.host(name).number}"
    with Watch(cloud) as watch:
        broken.touch()
        cloud.host(name).kill()
        eventually("the fence", lambda: ha(cloud, name) == "Fenced", MINUTES)
        shown = cloud.hosts()[name]
        assert (shown["state"], shown["resourcestate"]) == ("Down", "Maintenance")
        other = next(host.name for host in cloud.lab.hosts if host.name != name)
        eventually("the instance", lambda: cloud.running_on(vm["instancename"]) == [other], MINUTES)
        eventually("its row", lambda: runs(cloud.vm(vm["id"])) == other)
        broken.unlink()
        done = cloud.job("issueOutOfBandManagementPowerAction", hostid=shown["id"], action="ON")
        assert done["outofbandmanagement"]["powerstate"] == "On"
        eventually("its agent", lambda: ha(cloud, name) == "Ineligible", MINUTES)
        cloud.job("cancelHostMaintenance", id=shown["id"])
        eventually("health", lambda: ha(cloud, name) == "Available", MINUTES)
        assert cloud.running_on(vm["instancename"]) == [other]
    assert watch.on_two_hosts == set()
