"""Hosts on this machine: two of them, with a libvirt each, and every way to take them down."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.lab.errors import LabError
from backends.lab.hosts import LabHost
from backends.lab.lab import Lab
from backends.lab.leftovers import leftovers, sweep
from backends.lab.processes import kill, process, wait_until
from backends.lab.requirements import missing
from backends.lab.small_pool import MIB
from backends.lab.state import Phase, read_state

_LACKS = missing()
pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(_LACKS), reason="; ".join(_LACKS))]

TWO, ONE = f"two{os.getpid()}", f"one{os.getpid()}"
SOON = 60.0
"""Seconds within which what takes one is done on a machine with much other work."""
GUEST = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><video><model type='none'/></video></devices></domain>"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = Lab(tmp_path_factory.mktemp("lab"), TWO)
    try:
        found.up(hosts=2)
        yield found
    finally:
        found.down()
        assert leftovers(TWO) == []


@pytest.fixture
def hosts(lab: Lab) -> list[LabHost]:
    for host in lab.hosts:
        if not host.is_on:
            host.power_on()
    return lab.hosts


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Lab]:
    found = Lab(tmp_path / "data", ONE)
    yield found
    sweep(ONE)
    assert leftovers(ONE) == []


def virsh(host: LabHost, *argv: str) -> str:
    return host.exec(["virsh", "--connect", "qemu:///system", *argv]).stdout


def start_guest(host: LabHost, name: str) -> int:
    """A paused instance without a disk; its process."""
    host.exec(["sh", "-c", f"cat > /run/{name}.xml"], sent=GUEST.format(name=name))
    virsh(host, "create", f"/run/{name}.xml", "--paused")
    return host.qemus()[name]


def test_each_host_has_a_libvirt_and_a_name_of_its_own(hosts: list[LabHost]) -> None:
    libvirt = pytest.importorskip("libvirt")
    seen = set()
    for host in hosts:
        connection = libvirt.open(host.uri)
        assert connection.getHostname() == host.name
        seen.add(connection.getCapabilities().split("<uuid>")[1].split("</uuid>")[0])
        connection.close()
    assert seen == {host.who.uuid for host in hosts}
    assert len(seen) == 2


def test_hosts_reach_each_other_and_the_machine_with_large_frames(lab: Lab, hosts: list[LabHost]) -> None:
    frames = """import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER: never in fragments
sender.sendto(b"x" * 8900, (sys.argv[1], 7777))
"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((lab.gateway, 7777))
        receiver.settimeout(SOON)
        for host in hosts:
            host.exec(["python3", "-c", frames, lab.gateway])
            sent, (sender, _) = receiver.recvfrom(10000)
            assert (len(sent), sender) == (8900, host.address)
    names = hosts[0].exec(["getent", "hosts", hosts[1].name]).stdout.split()
    assert names == [hosts[1].address, hosts[1].name]


def test_a_folder_of_the_lab_has_the_same_path_on_all_hosts(lab: Lab, hosts: list[LabHost]) -> None:
    hosts[0].exec(["touch", str(lab.primary / "disk")])
    hosts[1].exec(["test", "-e", str(lab.primary / "disk")])
    hosts[0].exec(["touch", "/var/lib/libvirt/images/own"])
    with pytest.raises(LabError, match="test on h2"):
        hosts[1].exec(["test", "-e", "/var/lib/libvirt/images/own"])


def test_a_power_cut_ends_all_that_runs_and_keeps_disks_and_identity(hosts: list[LabHost]) -> None:
    host = hosts[0]
    qemu = start_guest(host, "victim")
    libvirtd = host.libvirtd_pid
    assert libvirtd is not None
    Path(host.folder.lib / "images" / "kept").touch()

    host.kill()

    assert (process(qemu), process(libvirtd), host.is_on, host.qemus()) == (None, None, False, {})
    with pytest.raises(LabError, match="h1 is off"):
        host.exec(["true"])
    assert hosts[1].is_on

    host.power_on()

    assert host.who.uuid in virsh(host, "capabilities")
    assert "victim" not in virsh(host, "list", "--all", "--name")
    host.exec(["test", "-e", "/var/lib/libvirt/images/kept"])
    with pytest.raises(LabError, match="h1 is on already"):
        host.power_on()


def reachable(host: LabHost, within: float = SOON) -> bool:
    try:
        socket.create_connection((host.address, 16509), timeout=within).close()
    except OSError:
        return False
    return True


def test_a_cut_cable_isolates_a_host_that_goes_on_running(hosts: list[LabHost]) -> None:
    host = hosts[0]
    before = host.libvirtd_pid
    assert reachable(host)
    host.cut_link()
    assert not host.is_linked
    assert not reachable(host, within=0.3)
    assert reachable(hosts[1])
    assert host.libvirtd_pid == before
    host.restore_link()
    assert host.is_linked
    assert reachable(host)


def test_a_frozen_host_does_nothing_until_it_is_thawed_and_can_lose_power(hosts: list[LabHost]) -> None:
    host = hosts[0]
    host.freeze()
    assert host.is_frozen
    assert not hosts[1].is_frozen
    with pytest.raises(LabError, match="h1 hangs"):
        host.exec(["true"])
    host.thaw()
    host.exec(["true"])
    host.freeze()
    host.kill()
    assert not host.is_on


def test_libvirtd_comes_back_after_a_second_unless_told_not_to_and_instances_stay(hosts: list[LabHost]) -> None:
    host = hosts[0]
    qemu = start_guest(host, "survivor")
    first = host.libvirtd_pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: host.libvirtd_pid not in (None, first) and host.libvirt_answers, SOON)
    assert host.qemus() == {"survivor": qemu}
    assert "paused" in virsh(host, "domstate", "survivor")

    host.supervise(False)
    second = host.libvirtd_pid
    assert second is not None
    os.kill(second, signal.SIGKILL)
    assert not wait_until(lambda: host.libvirtd_pid not in (None, second), 1.5)
    host.supervise(True)
    assert wait_until(lambda: host.libvirt_answers, SOON)


def program_of_agent(host: LabHost) -> str | None:
    """Its service is a shell first, which becomes the program."""
    pid = host.agent_pid
    found = None if pid is None else process(pid)
    return None if found is None else found.name


def test_an_agent_is_kept_running_over_crashes_and_power_cycles(hosts: list[LabHost]) -> None:
    host = hosts[1]
    host.run_agent(["sleep", "3456"], {"WHO": "an agent"})
    assert wait_until(lambda: program_of_agent(host) == "sleep", SOON)
    first = host.agent_pid
    assert first is not None
    assert b"WHO=an agent" in Path(f"/proc/{first}/environ").read_bytes()
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: host.agent_pid not in (None, first), SOON)
    host.kill()
    assert host.agent_pid is None
    host.power_on()
    assert wait_until(lambda: host.agent_pid is not None, SOON)


def test_a_small_pool_fills_up_for_all_hosts_and_can_grow(lab: Lab, hosts: list[LabHost]) -> None:
    pool = lab.small_pool("tight", 2 * MIB)
    write = ["dd", "if=/dev/zero", f"of={pool.path}/data", "bs=64k", "count=4", "status=none"]
    for host in hosts:
        host.exec(write)
    pool.fill()
    for host in hosts:
        with pytest.raises(LabError, match="No space left"):
            host.exec([*write[:2], f"of={pool.path}/more", *write[3:]])
    pool.resize(4 * MIB)
    hosts[1].exec(write)
    pool.fill(leave=MIB)
    pool.empty()
    hosts[0].exec(write)
    hosts[0].kill()
    hosts[0].power_on()
    hosts[0].exec(["test", "-s", f"{pool.path}/data"])


def test_a_lab_that_is_up_is_found_by_name_and_not_made_again(lab: Lab) -> None:
    assert Lab.named(TWO).folder == lab.folder
    with pytest.raises(LabError, match=f"lab {TWO} is up already"):
        Lab(lab.folder).up(1)
    with pytest.raises(LabError, match=f"holds lab {TWO}, not lab other"):
        Lab(lab.folder, "other")
    with pytest.raises(LabError, match="has hosts 1 to 2, and no host 3"):
        lab.host(3)
    with pytest.raises(LabError, match="no lab nowhere is up"):
        Lab.named("nowhere")


def test_several_labs_have_networks_of_their_own_and_down_takes_only_one(lab: Lab, small: Lab) -> None:
    small.up(hosts=1)
    pid = small.start("program", ["sleep", "4567"])
    assert small.pid_of("program") == pid
    assert not small.network.overlaps(lab.network)
    assert {one.kind for one in leftovers(ONE)} == {"process", "namespace", "link", "mount", "cgroup", "note"}

    small.down()

    assert leftovers(ONE) == []
    assert process(pid) is None
    assert small.state is not None and small.state.phase is Phase.DOWN
    assert sorted(entry.name for entry in small.folder.iterdir()) == ["lab.json", "logs"]
    assert lab.is_up and len([host for host in lab.hosts if host.is_on]) == 2
    small.down()  # once more is fine


def kill_everything(lab: Lab) -> None:
    for one in leftovers(ONE):
        if one.kind == "process":
            kill(int(one.what.split()[0]))


def unmount(lab: Lab) -> None:
    lab.host(1).exec(["umount", str(lab.folder / "small")])


def enter_from_outside(lab: Lab) -> None:
    """A shell in the host's network only: neither in its cgroup nor with its mounts."""
    lab.host(1).freeze()
    os.spawnlp(os.P_NOWAIT, "nsenter", "nsenter", f"--net=/run/netns/{lab.names.host(1)}", "sleep", "5678")


def forget(lab: Lab) -> None:
    (lab.folder / "lab.json").unlink()


def crash_while_making(lab: Lab) -> None:
    assert lab.state is not None
    lab.state.phase = Phase.MAKING
    lab._keep()
    lab.host(1).kill()


@pytest.mark.parametrize("trouble", [kill_everything, unmount, enter_from_outside, crash_while_making])
def test_down_takes_all_away_whatever_happened(small: Lab, trouble: Callable[[Lab], None]) -> None:
    small.up(hosts=1)
    trouble(small)
    assert leftovers(ONE) != []
    Lab(small.folder).down()
    assert leftovers(ONE) == []


def test_down_works_by_name_when_the_folder_is_gone_and_up_clears_what_is_half_made(small: Lab) -> None:
    small.up(hosts=1)
    crash_while_making(small)
    again = Lab(small.folder)
    again.up(hosts=1)
    assert again.host(1).is_on
    forget(again)
    Lab(small.folder.with_name("elsewhere"), ONE).down()
    assert leftovers(ONE) == []


def test_a_lab_that_cannot_be_made_leaves_nothing(small: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(host: LabHost) -> None:
        raise LabError(f"{host.name} has smoke coming out")

    monkeypatch.setattr(LabHost, "power_on", broken)
    with pytest.raises(LabError, match="smoke"):
        small.up(hosts=1)
    assert leftovers(ONE) == []
    state = read_state(small.folder)
    assert state is not None and state.phase is Phase.DOWN
