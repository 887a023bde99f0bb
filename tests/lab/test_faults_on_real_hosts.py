"""What becomes of a cloud on two real hosts when parts of it are killed, hang, are cut off or are full.

One lab serves all tests, which may run in any order. On each host an instance runs from the beginning to the end, through
all faults. After each fault and its repair: what was acknowledged is so, no instance has processes on two hosts, no file
on a pool is half-made or nobody's, and an instance can be deployed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from backends.lab.hosts import LabHost
from backends.lab.leftovers import leftovers
from backends.lab.small_pool import MIB
from server.lab.building import restart_manager
from server.lab.client import ApiClient
from tests.lab.faults import (
    SILENT,
    Deployment,
    Moment,
    Watch,
    at_rest,
    catch,
    kill_manager,
    paused,
    repeatedly,
)
from tests.lab.lab_cloud import LabCloud, eventually, lab_cloud

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

SMALL = 128 * MIB
"""Two volumes may be promised on a pool of that size."""
RESTARTED = "Job cancelled because of a management server restart"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LabCloud]:
    for cloud in lab_cloud(tmp_path_factory.mktemp("cloud"), 2, request, wait_for_guest=0.0):
        # Agents of a machine with much other work are silent for some seconds without being lost.
        cloud.cs.updateConfiguration(name="ping.timeout", value="3")
        yield cloud
        name = cloud.lab.name
        cloud.lab.down()
        assert leftovers(name) == []


@pytest.fixture(scope="module")
def residents(cloud: LabCloud) -> dict[str, dict[str, Any]]:
    """The instance that each host runs through all faults, by the host's name."""
    hosts = cloud.hosts()
    return {name: cloud.deploy(f"resident-{name}", hostid=host["id"]) for name, host in hosts.items()}


@pytest.fixture
def watch(cloud: LabCloud, residents: dict[str, dict[str, Any]]) -> Iterator[Watch]:
    """The test's view of the cloud; afterwards everything that must hold is asked for, and what it made is removed."""
    processes = {name: cloud.host(name).qemus()[vm["instancename"]] for name, vm in residents.items()}
    with Watch(cloud) as watch:
        yield watch
        promised = {vm["id"]: "Running" for vm in residents.values()}
        at_rest(cloud, promised | watch.promised)
        another = cloud.deploy("another")
        at_rest(cloud, promised | watch.promised | {another["id"]: "Running"})
        assert watch.on_two_hosts == set()
        for name, vm in residents.items():
            assert cloud.host(name).qemus()[vm["instancename"]] == processes[name]
            assert watch.seen[vm["name"]] == ["Running"]
        for vm in cloud.vms():
            if vm["id"] not in promised:
                cloud.job("destroyVirtualMachine", id=vm["id"], expunge=True)
        at_rest(cloud, promised)


@pytest.fixture(scope="module")
def small(cloud: LabCloud) -> str:
    """The offering whose disks are on a pool of their own that can be filled."""
    return pool_and_offering(cloud, "small")


def pool_and_offering(cloud: LabCloud, name: str) -> str:
    """A new pool of that name and an offering, whose id is returned, for disks on it."""
    made = cloud.cs.createStoragePool(
        zoneid=cloud.zone,
        name=name,
        url=f"sharedmountpoint://localhost{cloud.lab.small_pool(name, SMALL).path}",
        scope="ZONE",
        hypervisor="KVM",
        tags=name,
    )
    # Whatever hosts told last of its room: it is they who are to find it full.
    setting = "pool.storage.capacity.disablethreshold"
    cloud.cs.updateConfiguration(name=setting, value="1", storageid=made["storagepool"]["id"])
    made = cloud.cs.createServiceOffering(
        name=f"tiny-{name}", displaytext=name, cpunumber=1, cpuspeed=500, memory=128, tags=name
    )
    return str(made["serviceoffering"]["id"])


def other(cloud: LabCloud, host: LabHost) -> str:
    """The name of the other host."""
    return next(one.name for one in cloud.lab.hosts if one.name != host.name)


def succeeded(cloud: LabCloud, watch: Watch, deployment: Deployment) -> None:
    """Its job says that it runs, and so it is to stay."""
    assert cloud.ended(deployment.job) is None
    watch.promised[deployment.id] = "Running"
    watch.has_seen(deployment.name, "Starting", "Running")


def caught(cloud: LabCloud, watch: Watch, moment: Moment, **more: Any) -> Deployment:
    """A deployment of `web` that is held at that moment, and that the watch has seen there."""
    deployment = catch(cloud, "web", moment, **more)
    watch.has_seen(deployment.name, "Starting")
    return deployment


# kill -9


@pytest.mark.parametrize("moment", ["volume", "start"])
def test_a_libvirtd_killed_during_a_deployment(cloud: LabCloud, watch: Watch, moment: Moment) -> None:
    deployment = caught(cloud, watch, moment)
    host = deployment.host
    watch.note(f"libvirtd of {host.name} is killed")
    deployment.die(host.libvirtd_pid)
    succeeded(cloud, watch, deployment)
    if moment == "start":  # its QEMU is taken away before another host may try
        assert cloud.running_on(deployment.instance) == [other(cloud, host)]
    eventually("libvirt again", lambda: host.libvirt_answers)
    assert watch.seen[host.name] == ["Up"]


def test_a_qemu_killed_during_a_deployment(cloud: LabCloud, watch: Watch) -> None:
    deployment = caught(cloud, watch, "start")
    watch.note(f"the instance's QEMU on {deployment.host.name} is killed")
    deployment.die(deployment.host.qemus()[deployment.instance])
    succeeded(cloud, watch, deployment)
    assert cloud.running_on(deployment.instance) == [other(cloud, deployment.host)]


def test_a_qemu_killed_while_its_guest_runs(cloud: LabCloud, watch: Watch) -> None:
    """Its offering asks for high availability: it is started again by itself."""
    vm = cloud.deploy("web")
    name = vm["instancename"]
    eventually("it is seen to run", lambda: watch.seen.get("web", [])[-1:] == ["Running"])
    watch.note("its QEMU is killed")
    killed = cloud.host(vm["hostname"]).qemus()[name]
    os.kill(killed, signal.SIGKILL)

    def runs_again() -> bool:
        where = cloud.running_on(name)
        return len(where) == 1 and cloud.host(where[0]).qemus().get(name) not in (None, killed)

    eventually("the instance runs again", lambda: runs_again() and cloud.vm(vm["id"])["state"] == "Running")
    told = cloud.cs.listEvents(type="VM.POWERSYNC", resourceid=vm["id"])["event"]
    assert any(f"Host {vm['hostname']} reports that it does not run" in event["description"] for event in told)
    watch.promised[vm["id"]] = "Running"


@pytest.mark.parametrize("moment", ["template", "volume", "start"])
def test_an_agent_killed_during_a_deployment(
    cloud: LabCloud, watch: Watch, small: str, moment: Moment
) -> None:
    more = {"serviceofferingid": small} if moment == "template" else {}
    deployment = caught(cloud, watch, moment, **more)
    host = deployment.host
    watch.note(f"the agent of {host.name} is killed")
    deployment.die(host.agent_pid)
    succeeded(cloud, watch, deployment)
    watch.has_seen(host.name, "Up", "Disconnected", "Up")
    assert cloud.running_on(deployment.instance) == [host.name]


@pytest.mark.parametrize(("moment", "state"), [("volume", "Stopped"), ("start", "Running")])
def test_a_manager_killed_during_a_deployment(
    cloud: LabCloud, residents: dict[str, dict[str, Any]], watch: Watch, moment: Moment, state: str
) -> None:
    api = ApiClient.of_cloud(cloud.lab.cloud)
    acknowledged: list[str] = []

    def change(number: int) -> None:
        name = f"{moment}-{number}"
        api.call("createSSHKeyPair", name=name)
        acknowledged.append(name)

    changing, ending = repeatedly(change)
    try:
        eventually("some changes", lambda: len(acknowledged) >= 5)
        deployment = caught(cloud, watch, moment)
        watch.note("the manager is killed")
        kill_manager(cloud)
    finally:
        ending.set()
        changing.join()
    deployment.host.thaw()
    eventually("silence", lambda: SILENT in watch.seen["manager"])
    restart_manager(cloud.lab)

    kept = {pair["name"] for pair in cloud.cs.listSSHKeyPairs(listall=True, fetch_list=True)}
    assert set(acknowledged) <= kept
    assert cloud.ended(deployment.job) == RESTARTED
    watch.has_seen(deployment.name, "Starting", state)
    for name in residents:
        eventually(f"{name} is Up", lambda name=name: cloud.hosts()[name]["state"] == "Up")  # type: ignore[misc]
        assert set(watch.seen[name]) <= {"Up", "Disconnected"}  # for a moment that may be too short to be seen
    if state == "Stopped":
        assert cloud.job("startVirtualMachine", id=deployment.id)["virtualmachine"]["state"] == "Running"


def test_a_manager_and_an_agent_killed_during_a_deployment(cloud: LabCloud, watch: Watch) -> None:
    """Nobody is left who wants the instance that was being started; it must not be there, paused for ever."""
    deployment = caught(cloud, watch, "start")
    watch.note(f"the manager and the agent of {deployment.host.name} are killed")
    kill_manager(cloud)
    deployment.die(deployment.host.agent_pid)
    restart_manager(cloud.lab)
    assert cloud.ended(deployment.job) == RESTARTED
    watch.has_seen(deployment.name, "Starting", "Stopped")
    assert cloud.running_on(deployment.instance) == []


# a host that is cut off, or hangs


def test_a_host_cut_off_during_a_deployment(cloud: LabCloud, watch: Watch) -> None:
    deployment = caught(cloud, watch, "start")
    host = deployment.host
    watch.note(f"the cables of {host.name} are cut")
    host.cut_link()
    host.thaw()
    watch.has_seen(host.name, "Up", "Alert")
    elsewhere = cloud.deploy("elsewhere")
    assert elsewhere["hostname"] == other(cloud, host)
    assert cloud.vm(deployment.id)["state"] == "Starting"  # and not tried elsewhere: it runs there
    assert cloud.running_on(deployment.instance) == [host.name]

    watch.note("they are mended")
    host.restore_link()
    succeeded(cloud, watch, deployment)
    watch.has_seen(host.name, "Up", "Alert", "Up")
    assert cloud.running_on(deployment.instance) == [host.name]
    assert watch.seen[other(cloud, host)] == ["Up"]


def test_a_libvirtd_that_hangs(cloud: LabCloud, watch: Watch) -> None:
    host = cloud.lab.hosts[0]
    agent, libvirtd = host.agent_pid, host.libvirtd_pid
    assert agent is not None and libvirtd is not None
    before = _errors_of_agent(host)
    watch.note(f"libvirtd of {host.name} is stopped")
    os.kill(libvirtd, signal.SIGSTOP)
    try:
        watch.has_seen(host.name, "Up", "Alert")
        assert cloud.deploy("elsewhere")["hostname"] == other(cloud, host)
        eventually("libvirt's client gives up", lambda: "keepalive" in _errors_of_agent(host)[len(before) :])
    finally:
        watch.note("libvirtd goes on")
        os.kill(libvirtd, signal.SIGCONT)
    watch.has_seen(host.name, "Up", "Alert", "Up")
    assert host.agent_pid == agent
    assert watch.seen[other(cloud, host)] == ["Up"]


def _errors_of_agent(host: LabHost) -> str:
    return (host.logs / "agent.log").read_text(errors="replace")


# full storage


def test_a_pool_that_is_full(cloud: LabCloud, watch: Watch, small: str) -> None:
    pool = cloud.lab.small_pool("small", SMALL)
    vm = cloud.deploy("web", serviceofferingid=small)
    watch.note("its pool is filled")
    pool.fill()
    try:
        refused = cloud.submit("refused", serviceofferingid=small)
        error = cloud.ended(refused["jobid"])
        assert error is not None and "is full" in error and "No space left on device" in error
        assert cloud.vm(refused["id"])["state"] == "Error"
        files = {path.name for path in pool.path.iterdir()}
        volume = cloud.cs.listVolumes(virtualmachineid=vm["id"])["volume"][0]["path"]
        assert files == {".ballast", volume, f"template-{cloud.template}"}
        there = cloud.host(vm["hostname"])
        eventually("a guest that cannot write", lambda: vm["instancename"] in paused(there))
        watch.note("its guest waits for room")
    finally:
        pool.empty()
        watch.note("there is room again")
    eventually("a guest that goes on", lambda: vm["instancename"] not in paused(there))
    assert cloud.shell(vm, "sync && hostname") == "web"
    assert watch.seen["web"][-1] == "Running"
    assert cloud.deploy("next", serviceofferingid=small)["state"] == "Running"


def test_a_pool_that_is_too_full_for_a_template(cloud: LabCloud, watch: Watch) -> None:
    offering = pool_and_offering(cloud, "narrow")
    pool = cloud.lab.small_pool("narrow", SMALL)
    pool.fill(leave=8 * MIB)
    try:
        error = cloud.ended(cloud.submit("unlucky", serviceofferingid=offering)["jobid"])
        assert error is not None and "is full" in error and f"template {cloud.template} needs" in error
        assert [path.name for path in pool.path.iterdir()] == [".ballast"]
    finally:
        pool.empty()
    assert cloud.deploy("lucky", serviceofferingid=offering)["state"] == "Running"


def test_guests_that_ran_all_the_time_are_still_reached(
    cloud: LabCloud, residents: dict[str, dict[str, Any]]
) -> None:
    for vm in residents.values():
        assert cloud.shell(vm, "hostname") == vm["name"]
