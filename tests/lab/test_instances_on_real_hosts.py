"""The life of instances on two real hosts, through the public API, and as seen from their guests.

One lab serves all tests of this module; each has an instance of its own, and they may run in any order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from backends.lab.leftovers import leftovers
from tests.lab.lab_cloud import WITHIN, LabCloud, eventually, lab_cloud

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

BOOT = "cat /proc/sys/kernel/random/boot_id"
"""What it prints is another text after each boot."""


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LabCloud]:
    yield from lab_cloud(tmp_path_factory.mktemp("cloud"), 2, request)


@pytest.fixture(scope="module")
def four(cloud: LabCloud) -> list[dict[str, Any]]:
    """Four instances, two on each host."""
    hosts = sorted(cloud.hosts().values(), key=lambda host: str(host["name"]))
    return [cloud.deploy(f"web-{n}", hostid=hosts[n % 2]["id"]) for n in range(4)]


def volume(cloud: LabCloud, name: str) -> dict[str, Any]:
    offering = cloud.cs.listDiskOfferings(name="Custom")["diskoffering"][0]["id"]
    made = cloud.job("createVolume", name=name, zoneid=cloud.zone, diskofferingid=offering, size=1)
    return dict(made["volume"])


def test_guests_have_their_addresses_and_reach_each_other_across_hosts(
    cloud: LabCloud, four: list[dict[str, Any]]
) -> None:
    one, other = four[0], four[1]
    assert one["hostname"] != other["hostname"]
    assert one["nic"][0]["isolationuri"].startswith("vxlan://")
    address = one["nic"][0]["ipaddress"]
    assert f"inet {address}/" in cloud.shell(one, "ip addr show eth0")
    assert cloud.shell(one, "hostname") == "web-0"
    page = cloud.shell(one, f"wget -q -O - http://{other['nic'][0]['ipaddress']}/")
    assert "web-1" in page


def test_stop_start_and_reboot_keep_its_disk(cloud: LabCloud, four: list[dict[str, Any]]) -> None:
    vm = four[2]
    cloud.shell(vm, "echo kept > /root/file; sync")
    stopped = cloud.job("stopVirtualMachine", id=vm["id"])["virtualmachine"]
    assert stopped["state"] == "Stopped" and cloud.running_on(vm["instancename"]) == []
    started = cloud.job("startVirtualMachine", id=vm["id"])["virtualmachine"]
    assert started["state"] == "Running" and cloud.running_on(vm["instancename"]) == [started["hostname"]]
    assert cloud.shell(vm, "cat /root/file") == "kept"
    before = cloud.shell(vm, BOOT)
    cloud.job("rebootVirtualMachine", id=vm["id"])
    assert cloud.shell(vm, "cat /root/file") == "kept"
    eventually("another boot", lambda: cloud.shell(vm, BOOT) != before)


def test_a_volume_keeps_its_data_and_a_snapshot_brings_it_back(
    cloud: LabCloud, four: list[dict[str, Any]]
) -> None:
    here, there = four[0], four[1]
    disk = volume(cloud, "data")
    cloud.job("attachVolume", id=disk["id"], virtualmachineid=here["id"])
    device = eventually("the disk in the guest", lambda: cloud.shell(here, "ls /dev/vdb 2>/dev/null || true"))
    cloud.shell(here, f"echo first > /tmp/x; dd if=/tmp/x of={device} conv=fsync 2>/dev/null; sync")
    cloud.job("detachVolume", id=disk["id"])
    assert cloud.shell(here, "ls /dev/vdb 2>/dev/null || echo none") == "none"

    snapshot = cloud.job("createSnapshot", volumeid=disk["id"])["snapshot"]
    cloud.job("attachVolume", id=disk["id"], virtualmachineid=there["id"])
    eventually("the disk in the other guest", lambda: cloud.shell(there, "ls /dev/vdb 2>/dev/null || true"))
    assert cloud.shell(there, f"head -c 5 {device}") == "first"
    cloud.shell(there, f"echo other > /tmp/x; dd if=/tmp/x of={device} conv=fsync 2>/dev/null; sync")
    cloud.job("detachVolume", id=disk["id"])

    cloud.job("revertSnapshot", id=snapshot["id"])
    cloud.job("attachVolume", id=disk["id"], virtualmachineid=here["id"])
    eventually("the disk again", lambda: cloud.shell(here, "ls /dev/vdb 2>/dev/null || true"))
    assert cloud.shell(here, f"head -c 5 {device}") == "first"
    cloud.job("detachVolume", id=disk["id"])
    cloud.job("deleteSnapshot", id=snapshot["id"])
    cloud.cs.deleteVolume(id=disk["id"])


def test_a_guest_answers_while_it_moves(cloud: LabCloud, four: list[dict[str, Any]]) -> None:
    vm, neighbour = four[3], four[0]
    assert vm["hostname"] != neighbour["hostname"]
    before = cloud.shell(vm, BOOT)
    url = f"http://{vm['nic'][0]['ipaddress']}/"
    answers: list[float] = []
    done = threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            page = cloud.shell(neighbour, f"wget -q -O - {url}")
            if "web-3" in page:
                answers.append(time.monotonic())

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        eventually("an answer before", lambda: len(answers) >= 1)
        moved = cloud.job("migrateVirtualMachine", virtualmachineid=vm["id"])["virtualmachine"]
        ended = time.monotonic()
        eventually("answers after", lambda: sum(at > ended for at in answers) >= 2)
    finally:
        done.set()
        asking.join(WITHIN)
    assert moved["hostname"] == neighbour["hostname"] != vm["hostname"]
    assert cloud.running_on(vm["instancename"]) == [moved["hostname"]]
    assert cloud.shell(vm, BOOT) == before, "it is the same boot"


def test_user_data_and_password_come_from_the_metadata_service(
    cloud: LabCloud, four: list[dict[str, Any]]
) -> None:
    vm = four[1]
    gateway = vm["nic"][0]["gateway"]
    said = cloud.shell(vm, f"wget -q -O - http://{gateway}/latest/meta-data/local-hostname")
    assert said == "web-1"
    assert cloud.shell(vm, "wget -q -O - http://169.254.169.254/latest/meta-data/instance-id") in (
        vm["id"],
        vm["instancename"],
    )


def test_an_instance_that_nobody_knows_is_listed_and_left_alone(cloud: LabCloud) -> None:
    host = cloud.lab.hosts[0]
    xml = (
        "<domain type='qemu'><name>stranger</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices/></domain>"
    )
    file = host.folder.path / "stranger.xml"
    file.write_text(xml)
    host.exec(["virsh", "--connect", "qemu:///system", "create", str(file), "--paused"])
    cluster = cloud.cs.listClusters()["cluster"][0]["id"]
    try:
        found = cloud.cs.listUnmanagedInstances(clusterid=cluster)["unmanagedinstance"]
        assert [(each["name"], each["hostname"]) for each in found] == [("stranger", host.name)]
        time.sleep(12)  # two reports
        assert "stranger" in host.qemus()
    finally:
        host.exec(["virsh", "--connect", "qemu:///system", "destroy", "stranger"])


def test_at_the_end_nothing_is_left(cloud: LabCloud, four: list[dict[str, Any]]) -> None:
    for vm in four:
        cloud.job("destroyVirtualMachine", id=vm["id"], expunge=True)
    assert cloud.vms() == []
    for host in cloud.lab.hosts:
        assert host.qemus() == {}
        assert host.exec(["virsh", "--connect", "qemu:///system", "list", "--all", "--name"]).stdout.strip() == ""
        links = host.exec(["ip", "-br", "link"]).stdout
        assert "vxlan" not in links and "brvx" not in links and "vnet" not in links
        assert host.exec(["ip", "netns", "list"]).stdout.strip() == ""
        # what was killed may take a moment to be gone
        eventually("no service", lambda host=host: "dnsmasq" not in {each.name for each in host.processes()})  # type: ignore[misc]
    left = [path.name for path in cloud.lab.primary.rglob("*") if path.is_file()]
    assert [name for name in left if not name.startswith("template-")] == []
    cloud.lab.down()
    assert leftovers(cloud.lab.name) == []
    assert not cloud.lab.primary.exists() or list(cloud.lab.primary.iterdir()) == []
