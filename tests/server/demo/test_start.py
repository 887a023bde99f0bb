"""When a start tells the story: the first one, without a datacenter of its own."""

from __future__ import annotations

from pathlib import Path

from server.data_folder import DataFolder
from server.demo.story import load_datacenter

ROOM = "zones: [{name: room, pods: [{racks: [{hosts: 1}]}]}]\n"


def test_the_first_start_is_in_the_demos_datacenter_and_later_ones_too(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    first = folder.datacenter(None, is_new=True, demo=True)
    assert first == load_datacenter()
    assert folder.datacenter(None, is_new=False) == first


def test_a_first_start_that_was_cut_short_leaves_no_other_datacenter_behind(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.datacenter(None, is_new=True)
    assert folder.datacenter(None, is_new=True, demo=True) == load_datacenter()
    assert folder.datacenter(None, is_new=False) == load_datacenter()


def test_without_the_demo_all_is_as_it_was(tmp_path: Path) -> None:
    room = tmp_path / "room.yaml"
    room.write_text(ROOM)
    folder = DataFolder(tmp_path / "data")
    assert [zone.name for zone in folder.datacenter(room, is_new=True).kinds()] == ["room"]
    other = DataFolder(tmp_path / "other")
    assert [zone.name for zone in other.datacenter(None, is_new=True).kinds()] == ["zone"]


def test_the_demo_has_sixty_hosts_of_at_least_two_kinds() -> None:
    groups = [
        group
        for zone in load_datacenter().kinds()
        for pod in zone.kinds()
        for rack in pod.kinds()
        for group in rack.groups() * rack.count
    ]
    assert sum(group.count for group in groups) == 60
    assert len({(group.cores, group.memory) for group in groups}) >= 2
