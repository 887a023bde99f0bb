"""Backups of instances on a libvirt host: all disks, in files that stand alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.libvirt import image_stores, qemu_img
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import BackupFile, DiskSpec, ImageSpec
from tests.backends.libvirt import writing_guest
from tests.backends.libvirt.libvirtd_alone import LonelyHost, lonely_host
from tests.backends.libvirt.storage_bench import MIB, StorageBench, content, write
from tests.backends.libvirt.test_secondary import RunningBench, info, volume


@pytest.fixture
def bench(tmp_path: Path) -> StorageBench:
    return StorageBench(tmp_path)


def taken(bench: StorageBench, *disks: DiskSpec, vm: str | None = None) -> tuple[BackupFile, ...]:
    return bench.do(bench.host.take_backup("b", disks, bench.store_url, vm, False))


def test_all_disks_of_a_stopped_instance_are_copied(bench: StorageBench) -> None:
    files = taken(bench, volume(bench, "root", 1), volume(bench, "data", 2))
    assert [file.volume_id for file in files] == ["root", "data"]
    assert bench.in_store() == ["backups/b-data.qcow2", "backups/b-root.qcow2", "templates/t.qcow2"]
    for file, pattern in zip(files, (b"\1", b"\2"), strict=True):
        kept = bench.store / file.path
        assert info(kept).backing is None and info(kept).actual_size == file.physical_size
        assert content(kept, 1) == pattern
        assert kept.stat().st_mode & 0o007 == 0, "not everybody may read it"


def test_what_is_backed_up_is_put_back_and_made_into_another_disk(bench: StorageBench) -> None:
    disk = volume(bench, "root", 1)
    (file,) = taken(bench, disk)
    write(bench.pool / "root", 2)
    image = ImageSpec(bench.store_url, file.path, 16 * MIB)
    bench.do(bench.host.create_volume("copy", "P", 16 * MIB, None, image))
    assert content(bench.pool / "copy", 1) == b"\1" and content(bench.pool / "root", 1) == b"\2"
    bench.do(bench.host.revert_snapshot(disk, image))
    assert content(bench.pool / "root", 1) == b"\1"


def test_a_backup_of_which_one_disk_cannot_be_copied_leaves_nothing(bench: StorageBench) -> None:
    disk = volume(bench, "root", 1)
    with pytest.raises(HypervisorError, match="there is no data on storage pool P"):
        taken(bench, disk, bench.disk("data"))
    (bench.pool / "data").write_bytes(b"no image")
    with pytest.raises(HypervisorError):
        taken(bench, disk, bench.disk("data"))
    assert bench.in_store() == ["templates/t.qcow2"]


def test_users_cannot_register_a_backup_as_a_template(bench: StorageBench) -> None:
    (file,) = taken(bench, volume(bench, "root", 1))
    kept = bench.store / file.path
    kept.chmod(0o644)
    with pytest.raises(HypervisorError, match="everybody may read"):
        bench.do(bench.host.download_template("x", f"file://{kept}", bench.store_url, "QCOW2", None))


def test_a_share_is_mounted_with_the_options_of_its_repository(
    bench: StorageBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    async def mount(host: str, path: str, port: int, folder: Path, *options: str) -> None:
        os.makedirs(folder)
        asked.append((host, path, options))

    monkeypatch.setattr(image_stores, "mount_nfs", mount)
    bench.do(bench.host.store_folder("nfs://filer/backups?options=vers=4.1,nolock"))
    bench.do(bench.host.store_folder("nfs://filer/backups"))
    careful = ("nosuid", "nodev", "noexec")
    assert asked == [
        ("filer", "/backups", (*careful, "vers=4.1,nolock")),
        ("filer", "/backups", careful),
    ]


# with a guest that runs


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBench]:
    def started(host: LonelyHost) -> Iterator[RunningBench]:
        made = RunningBench(tmp_path_factory.mktemp("running"), host.uri)
        yield made
        made.close()

    for host in lonely_host(tmp_path_factory.mktemp("libvirt")):
        yield from started(host)


@pytest.mark.lab
def test_all_disks_of_a_running_instance_are_backed_up_at_one_moment(running: RunningBench) -> None:
    disks = (running.disk("root", writing_guest.SIZE), running.disk("data", 16 * MIB))
    files = taken(running, *disks, vm=running.vm)
    assert running.goes_on()
    assert running.in_store() == ["backups/b-data.qcow2", "backups/b-root.qcow2"]
    root = running.store / files[0].path
    asyncio.run(qemu_img.check(root))
    found = writing_guest.rounds(root)
    assert found[-1] > 0 and writing_guest.of_one_moment(found), found
    assert info(running.store / files[1].path).virtual_size == 16 * MIB


@pytest.mark.lab
def test_a_guest_that_cannot_be_brought_to_rest_is_not_backed_up(running: RunningBench) -> None:
    before = running.in_store()
    root = running.disk("root", writing_guest.SIZE)
    with pytest.raises(HypervisorError, match=r"to rest: .*agent"):
        running.do(running.host.take_backup("q", (root,), running.store_url, running.vm, True))
    assert running.in_store() == before and running.goes_on()
