"""The parts of a lab that need no privileges: names, networks, what a machine lacks, what libvirt is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.lab.cgroups import Cgroups
from backends.lab.errors import LabError
from backends.lab.fabric import free_network
from backends.lab.host_files import HostFolder, identity
from backends.lab.lab import Lab
from backends.lab.names import names_of
from backends.lab.requirements import missing
from backends.lab.state import LabState, Phase, read_state, write_state

MOUNTINFO = """31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
"""


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "a b", "../up", "lab.h1", "x" * 32])
def test_names_that_cannot_be_part_of_others_are_refused(name: str) -> None:
    with pytest.raises(LabError, match="cannot be a lab's name"):
        names_of(name)


def test_the_parts_of_a_lab_are_not_taken_for_those_of_another() -> None:
    lab, other = names_of("lab"), names_of("lab-h1")
    assert lab.is_namespace(lab.fabric) and lab.is_namespace(lab.host(12))
    assert lab.is_mount_source(lab.mark) and lab.is_mount_source(lab.host(1))
    for name in (other.fabric, other.host(1), other.mark, "cloudsim-lab.h1x", "other"):
        assert not lab.is_namespace(name) and not lab.is_mount_source(name)


def test_devices_of_labs_with_long_names_still_have_short_and_different_ones() -> None:
    links = {names_of(name).root_link for name in ("lab", "a" * 12, "a" * 13, "a" * 31, "b" * 31)}
    assert len(links) == 5
    assert max(map(len, links)) <= 15


def test_a_lab_takes_the_first_network_that_nothing_uses() -> None:
    assert str(free_network([])) == "10.99.0.0/24"
    assert str(free_network(["10.99.0.1", "10.99.1.128/25", "192.0.2.0/24"])) == "10.99.2.0/24"
    with pytest.raises(LabError, match="no free network"):
        free_network(["10.0.0.0/8"])


def test_a_machine_that_lacks_programs_is_told_the_packages() -> None:
    found = missing(lambda name: None if name in ("libvirtd", "virsh", "ip") else f"/usr/bin/{name}", is_root=False)
    assert found[0] == "it must be run by root, for namespaces, bridges and cgroups"
    assert found[1] == (
        "no ip, libvirtd, virsh; on Debian: "
        "apt-get install --no-install-recommends iproute2 libvirt-clients libvirt-daemon-system"
    )


def test_controllers_of_version_1_are_found_where_they_are_mounted_but_not_a_service_managers(tmp_path: Path) -> None:
    found = Cgroups.of_machine(MOUNTINFO, tmp_path)
    assert found.version == "1"
    assert [str(root) for root in found.roots] == ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/freezer"]
    assert [str(door) for door in found.doors("a/b")][1] == "/sys/fs/cgroup/freezer/a/b/cgroup.procs"


def test_version_2_has_one_hierarchy_with_controllers_given_to_the_groups_below(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    (tmp_path / "cgroup.subtree_control").write_text("\n")
    found = Cgroups.of_machine("", tmp_path)
    found.make("cloudsim-lab/h1")
    assert found.version == "2"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"  # each is asked for alone; this is no kernel
    assert found.inner("cloudsim-lab/h1") == "cloudsim-lab/h1/init"
    assert found.existing("cloudsim-lab") == [tmp_path / "cloudsim-lab"]
    found.remove("cloudsim-lab")
    assert found.existing("cloudsim-lab") == []


def test_a_machine_without_cgroups_has_a_lab_that_cannot_freeze(tmp_path: Path) -> None:
    found = Cgroups.of_machine("", tmp_path)
    found.make("cloudsim-lab")
    found.thaw("cloudsim-lab")
    assert (found.version, found.doors("a"), found.is_frozen("a")) == ("none", [], False)
    with pytest.raises(LabError, match="no freezer"):
        found.freeze("cloudsim-lab")


def test_each_host_has_an_identity_that_stays(tmp_path: Path) -> None:
    one = identity("lab", 1, "h1", "10.99.3.11")
    assert one == identity("lab", 1, "h1", "10.99.3.11")
    assert one.mac == "02:63:6c:00:03:0b"
    assert len({one.uuid, identity("lab", 2, "h2", "10.99.3.12").uuid, identity("b", 1, "h1", "10.99.4.11").uuid}) == 3


def test_what_is_written_for_libvirt_keeps_disks_and_forgets_the_last_boot(tmp_path: Path) -> None:
    folder = HostFolder(tmp_path / "h1")
    who = identity("lab", 1, "h1", "10.99.3.11")
    folder.prepare(who, {"h1": "10.99.3.11", "h2": "10.99.3.12"}, has_cgroups=True)
    (folder.lib / "images" / "disk").touch()
    folder.pid.write_text("1")
    folder.prepare(who, {"h1": "10.99.3.11", "h2": "10.99.3.12"}, has_cgroups=False)
    assert (folder.lib / "images" / "disk").exists()
    assert not folder.pid.exists()
    assert f'host_uuid = "{who.uuid}"\n' in (folder.etc / "libvirtd.conf").read_text()
    assert "cgroup_controllers = []\n" in (folder.etc / "qemu.conf").read_text()
    assert (folder.path / "hosts").read_text().splitlines()[1:] == ["10.99.3.11 h1", "10.99.3.12 h2"]


def test_a_service_is_a_file_whose_command_and_environment_survive_the_shell(tmp_path: Path) -> None:
    folder = HostFolder(tmp_path)
    folder.services.mkdir()
    folder.service("agent", ["run", "it's", "$HOME"], {"KEY": "a b"})
    text = (folder.services / "agent").read_text()
    assert text == """#!/bin/bash
export KEY='a b'
exec run 'it'"'"'s' '$HOME'
"""


def test_the_folder_remembers_its_lab(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    state = LabState(name="lab", phase=Phase.UP, network="10.99.7.0/24", hosts=2)
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    lab = Lab(tmp_path)
    assert (lab.name, lab.gateway, lab.host(2).address, lab.host(2).uri) == (
        "lab",
        "10.99.7.1",
        "10.99.7.12",
        "qemu+tcp://10.99.7.12/system",
    )
    (tmp_path / "lab.json").write_text("{}")
    with pytest.raises(LabError, match="does not describe a lab"):
        Lab(tmp_path)


def test_a_folder_with_other_things_in_it_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.lab.lab.check_machine", lambda: None)
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(LabError, match="is not empty, and no lab was in it"):
        Lab(tmp_path).up(1)
    with pytest.raises(LabError, match="1 to 200 hosts, not 0"):
        Lab(tmp_path / "new").up(0)
