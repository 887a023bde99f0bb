from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from backends.libvirt import qemu_img
from backends.libvirt.connection import Connection
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, VmSpec
from tests.backends.libvirt import writing_guest
from tests.backends.libvirt.libvirtd_alone import LonelyHost, lonely_host, wait_until
from tests.backends.libvirt.storage_bench import MIB, Storage, StorageBench, content, write

T = TypeVar("T")


@pytest.fixture
def bench(tmp_path: Path) -> StorageBench:
    return StorageBench(tmp_path)


def info(file: Path) -> qemu_img.ImageInfo:
    return asyncio.run(qemu_img.info(file))


def volume(bench: StorageBench, name: str = "v", pattern: int = 1) -> DiskSpec:
    """A clone of a template, of which the first MiB was written by a guest."""
    bench.template(8 * MIB)
    bench.do(bench.host.create_volume(name, "P", 16 * MIB, "template-t", None))
    write(bench.pool / name, pattern)
    return bench.disk(name, 16 * MIB)


def test_a_snapshot_of_what_a_disk_held_before(bench: StorageBench) -> None:
    disk = volume(bench, pattern=1)
    bench.do(qemu_img.snapshot_create(bench.pool / "v", "then"))
    write(bench.pool / "v", 2)
    path, _ = bench.do(bench.host.backup_snapshot("s", disk, bench.store_url, None, "then"))
    assert content(bench.store / path, 1) == b"\1" and content(bench.pool / "v", 1) == b"\2"
    assert info(bench.store / path).backing is None
    with pytest.raises(HypervisorError, match="disk v has no snapshot never"):
        bench.do(bench.host.backup_snapshot("t", disk, bench.store_url, None, "never"))


def test_a_snapshot_goes_to_the_store_and_back(bench: StorageBench) -> None:
    disk = volume(bench)
    path, physical = bench.do(bench.host.backup_snapshot("s", disk, bench.store_url, None))
    assert path == "snapshots/s.qcow2"
    kept = info(bench.store / path)
    assert (kept.backing, kept.virtual_size, kept.actual_size) == (None, 16 * MIB, physical), "it stands alone"
    write(bench.pool / "v", 2)
    image = ImageSpec(bench.store_url, path, 16 * MIB)
    bench.do(bench.host.resize_volume(disk, 32 * MIB, None))
    bench.do(bench.host.revert_snapshot(replace(disk, size=32 * MIB), image))
    assert content(bench.pool / "v", 2) == b"\1\1"
    assert info(bench.pool / "v").virtual_size == 32 * MIB, "a disk that grew meanwhile keeps its size"
    bench.do(bench.host.delete_image(image))
    bench.do(bench.host.delete_image(image))
    with pytest.raises(HypervisorError, match=r"there is no snapshots/s.qcow2 in secondary storage"):
        bench.do(bench.host.revert_snapshot(disk, image))
    assert bench.on_pool() == ["template-t", "v"]
    assert content(bench.pool / "v", 2) == b"\1\1"


def test_a_template_is_made_of_a_disk_or_a_snapshot(bench: StorageBench) -> None:
    disk = volume(bench)
    path, _ = bench.do(bench.host.backup_snapshot("s", disk, bench.store_url, None))
    snapshot = ImageSpec(bench.store_url, path, 16 * MIB)
    for template, image, source in (("a", None, disk), ("b", snapshot, None)):
        made, size = bench.do(bench.host.create_template(template, bench.store_url, image, source))
        assert (made, size) == (f"templates/{template}.qcow2", 16 * MIB)
        assert info(bench.store / made).backing is None and content(bench.store / made, 2) == b"\1\1"
        # the cloud takes it for one of its origin's format; what it is stands in its name
        spec = ImageSpec(bench.store_url, made, size, "RAW")
        assert bench.do(bench.host.copy_template(spec, "P", template)) == (f"template-{template}", 16 * MIB)
    with pytest.raises(HypervisorError, match="template c has neither a disk nor a snapshot"):
        bench.do(bench.host.create_template("c", bench.store_url, None, None))


def test_what_is_in_use_is_not_touched(bench: StorageBench) -> None:
    disk = volume(bench)
    path, _ = bench.do(bench.host.backup_snapshot("s", disk, bench.store_url, None))
    image = ImageSpec(bench.store_url, path, 16 * MIB)
    before = (bench.pool / "v").stat()
    bench.libvirt.running["i-2-7-VM"] = {"vda": bench.pool / "v"}
    for work in (
        bench.host.revert_snapshot(disk, image),
        bench.host.create_template("t", bench.store_url, None, disk),
        bench.host.backup_snapshot("s2", disk, bench.store_url, None),
    ):
        with pytest.raises(HypervisorError, match="disk v is in use by i-2-7-VM"):
            bench.do(work)
    after = (bench.pool / "v").stat()
    assert (after.st_ino, after.st_mtime) == (before.st_ino, before.st_mtime)
    assert bench.in_store() == ["snapshots/s.qcow2", "templates/t.qcow2"]


def test_going_back_does_not_lose_snapshots_of_the_instance(bench: StorageBench) -> None:
    disk = volume(bench)
    path, _ = bench.do(bench.host.backup_snapshot("s", disk, bench.store_url, None))
    bench.do(qemu_img.snapshot_create(bench.pool / "v", "before-upgrade"))
    with pytest.raises(HypervisorError, match="disk v holds the instance snapshots before-upgrade, which would be lost"):
        bench.do(bench.host.revert_snapshot(disk, ImageSpec(bench.store_url, path, 16 * MIB)))
    assert bench.do(qemu_img.snapshot_list(bench.pool / "v")) == ("before-upgrade",)


def test_what_is_not_there_is_named(bench: StorageBench) -> None:
    disk = bench.disk("none")
    with pytest.raises(HypervisorError, match="there is no none on storage pool P"):
        bench.do(bench.host.backup_snapshot("s", disk, bench.store_url, None))
    for url, text in (
        ("file:///nowhere/at/all", "there is no folder /nowhere/at/all on this host"),
        ("cifs://filer/share", "this host knows file:///path and nfs://host/path only"),
        ("file://elsewhere/share", "this host knows file:///path and nfs://host/path only"),
        ("file:///", "names no folder"),
        ("nfs://filer", "names no folder"),
    ):
        with pytest.raises(HypervisorError, match=f"secondary storage {url}:? {text}"):
            bench.do(bench.host.delete_image(ImageSpec(url, "templates/t", 1)))
    for path in ("../pool/v", "..", "", "templates/../../pool/v"):
        with pytest.raises(HypervisorError, match="is no file in secondary storage"):
            bench.do(bench.host.delete_image(ImageSpec(bench.store_url, path, 1)))
    assert bench.in_store() == []


def test_a_copy_that_is_given_up_leaves_nothing_in_the_store(bench: StorageBench) -> None:
    disk = volume(bench)

    async def work() -> None:
        (bench.store / "snapshots").mkdir()
        making = asyncio.create_task(bench.host.backup_snapshot("s", disk, bench.store_url, None))
        await bench.begun(bench.store / "snapshots")
        making.cancel()
        await asyncio.wait([making])
        assert making.cancelled()

    bench.do(work())
    assert bench.in_store() == ["templates/t.qcow2"]


def test_a_host_clears_what_it_left_half_made_in_a_store(bench: StorageBench) -> None:
    disk = volume(bench)
    (bench.store / "snapshots").mkdir()
    for guid in ("guid-host-1", "guid-host-2"):
        (bench.store / "snapshots" / f".new-{guid}-1234-s.qcow2").touch()
    bench.do(bench.host.backup_snapshot("s", disk, bench.store_url, None))
    assert bench.in_store()[:2] == ["snapshots/.new-guid-host-2-1234-s.qcow2", "snapshots/s.qcow2"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_stores_on_network_file_systems(
    bench: StorageBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = bench.image("templates/a.qcow2")
    bench.image("snapshots/s.qcow2")
    program = tmp_path / "bin" / "mount"
    program.parent.mkdir()
    # bind mounts stand in for NFS
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nfor folder; do :; done\n'
        f'exec /bin/mount --bind {bench.store} "$folder"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    url = "nfs://filer/export/secondary"
    image = replace(here, store_url=url)
    mounts = bench.settings.data / "secondary"
    try:
        try:
            file = bench.do(bench.host.image_file(image))
        except HypervisorError as error:
            pytest.skip(f"this machine cannot mount: {error}")
        assert file.is_relative_to(mounts) and file.read_bytes() == (bench.store / here.path).read_bytes()
        bench.do(bench.host.copy_template(image, "P", "a"))
        fetched = bench.host.download_template("b", f"{url}/{here.path}", bench.store_url, "QCOW2", None)
        assert bench.do(fetched)[:2] == ("templates/b.qcow2", 8 * MIB)
        with pytest.raises(HypervisorError, match=r"is no template in a secondary storage|that everybody may read"):
            bench.do(bench.host.download_template("c", f"{url}/snapshots/s.qcow2", url, "QCOW2", None))
        calls = (tmp_path / "calls").read_text().splitlines()
        assert len(calls) == 2, "once for the cloud, and once, for reading only, for the URL that a user gave"
        assert "nosuid,nodev,noexec -- filer:/export/secondary" in calls[0]
        assert "ro,soft" in calls[1]
    finally:
        for folder in mounts.iterdir() if mounts.exists() else ():
            subprocess.run(["umount", folder], capture_output=True)


# with a guest that runs


@pytest.fixture(scope="module")
def libvirt_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LonelyHost]:
    yield from lonely_host(tmp_path_factory.mktemp("libvirt"))


class RunningBench(StorageBench):
    """One guest, i-2-7-VM, that writes to its root disk; a data disk is attached to it as well."""

    vm = "i-2-7-VM"

    def __init__(self, folder: Path, uri: str) -> None:
        self.uri = uri
        super().__init__(folder)
        import libvirt

        writing_guest.make_disk(self.pool / "root")
        self.do(qemu_img.create(self.pool / "data", 16 * MIB))
        self.direct = libvirt.open(uri)
        disks = {"vda": self.pool / "root", "vdb": self.pool / "data"}
        self.domain = self.direct.createXML(writing_guest.domain_xml(self.vm, disks))
        wait_until(lambda: self.writes() > 1000, 120, "the guest writes")

    def start(self) -> None:
        self.settings = replace(self.settings, uri=self.uri)
        self.host = Storage(self.settings)

    def do(self, work: Coroutine[Any, Any, T]) -> T:  # type: ignore[override]
        async def connected() -> T:
            self.host.connection = Connection(self.uri, 60.0)
            try:
                return await work
            finally:
                await self.host.connection.close()

        return asyncio.run(connected())

    def writes(self) -> int:
        return int(self.domain.blockStats("vda")[2])

    def goes_on(self) -> bool:
        """The guest still writes, and nothing of a backup is left in it."""
        import libvirt

        before = self.writes()
        wait_until(lambda: self.writes() > before + 100, 90, "the guest goes on writing")
        assert self.domain.jobStats(0)["type"] == libvirt.VIR_DOMAIN_JOB_NONE
        assert self.domain.listAllCheckpoints() == [] and self.domain.snapshotNum() == 0
        return asyncio.run(qemu_img.snapshot_list(self.pool / "root")) == ()

    def close(self) -> None:
        self.domain.destroy()
        self.direct.close()


@pytest.fixture(scope="module")
def running(libvirt_host: LonelyHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBench]:
    made = RunningBench(tmp_path_factory.mktemp("running"), libvirt_host.uri)
    yield made
    made.close()


@pytest.mark.lab
def test_a_backup_of_a_running_disk_is_of_one_moment(running: RunningBench) -> None:
    root = running.disk("root", writing_guest.SIZE)
    path, physical = running.do(running.host.backup_snapshot("s", root, running.store_url, running.vm))
    assert running.goes_on()
    copy = running.store / path
    assert copy.stat().st_mode & 0o777 == 0o644
    assert info(copy).backing is None and physical > 200 * MIB
    asyncio.run(qemu_img.check(copy))
    found = writing_guest.rounds(copy)
    assert found[-1] > 0 and writing_guest.of_one_moment(found), found
    now = writing_guest.rounds(running.pool / "root")
    assert now[0] > found[0], "the guest wrote meanwhile"
    assert running.in_store() == ["snapshots/s.qcow2"]


@pytest.mark.lab
def test_both_disks_of_an_instance_are_backed_up_at_once(running: RunningBench) -> None:
    async def both() -> None:
        host, vm = running.host, running.vm
        made = await asyncio.gather(
            host.backup_snapshot("r", running.disk("root"), running.store_url, vm),
            host.backup_snapshot("d", running.disk("data"), running.store_url, vm),
        )
        assert [path for path, _ in made] == ["snapshots/r.qcow2", "snapshots/d.qcow2"]

    running.do(both())
    assert info(running.store / "snapshots/d.qcow2").virtual_size == 16 * MIB
    assert running.goes_on()


@pytest.mark.lab
def test_a_backup_that_is_given_up_ends_in_the_instance_too(running: RunningBench) -> None:
    before = running.in_store()

    async def work() -> None:
        root = running.disk("root")
        making = asyncio.create_task(running.host.backup_snapshot("x", root, running.store_url, running.vm))
        await running.begun(running.store / "snapshots")
        making.cancel()
        await asyncio.wait([making])
        assert making.cancelled()

    running.do(work())
    assert running.in_store() == before and running.goes_on()


@pytest.mark.lab
def test_a_backup_that_an_earlier_agent_began_does_not_stand_in_the_way(running: RunningBench) -> None:
    left = running.store / "left.qcow2"
    order = (
        "<domainbackup mode='push'><disks><disk name='vda' type='file' backup='yes'>"
        f"<target file='{left}'/><driver type='qcow2'/></disk><disk name='vdb' backup='no'/></disks></domainbackup>"
    )
    running.domain.backupBegin(order, None, 0)
    running.do(running.host.backup_snapshot("y", running.disk("data"), running.store_url, running.vm))
    left.unlink(missing_ok=True)  # libvirt removes what it broke off
    assert running.goes_on()


@pytest.mark.lab
def test_a_disk_grows_under_its_guest_and_never_shrinks(running: RunningBench) -> None:
    data = running.disk("data", 16 * MIB)
    running.host.kept.put(VmSpec(running.vm, "id", 1, 1000, 32, (running.disk("root"), data)))
    assert running.do(running.host.resize_volume(data, 32 * MIB, running.vm)) == 32 * MIB
    assert running.domain.blockInfo("vdb")[0] == 32 * MIB
    assert info(running.pool / "data").virtual_size == 32 * MIB
    kept = running.host.kept.get(running.vm)
    assert kept is not None and [disk.size for disk in kept.disks] == [8 * MIB, 32 * MIB]
    for vm, size, text in (
        (running.vm, 16 * MIB, "disk data of running i-2-7-VM cannot shrink"),
        (None, 64 * MIB, "disk data is in use by i-2-7-VM"),
        ("i-9-9-VM", 64 * MIB, "instance i-9-9-VM is not on this host"),
    ):
        with pytest.raises(HypervisorError, match=text):
            running.do(running.host.resize_volume(data, size, vm))
    running.do(running.host.create_volume("loose", "P", MIB, None, None))
    with pytest.raises(HypervisorError, match="disk loose is not attached to i-2-7-VM"):
        running.do(running.host.resize_volume(running.disk("loose"), 2 * MIB, running.vm))
    assert running.domain.blockInfo("vdb")[0] == 32 * MIB


@pytest.mark.lab
def test_what_a_guest_runs_on_is_safe(running: RunningBench) -> None:
    running.do(running.host.create_volume("free", "P", MIB, None, None))
    path, _ = running.do(running.host.backup_snapshot("z", running.disk("free"), running.store_url, None))
    image = ImageSpec(running.store_url, path, MIB)
    for work, text in (
        (running.host.delete_volume("root", "P", "root"), "volume root is in use by i-2-7-VM"),
        (running.host.revert_snapshot(running.disk("root"), image), "disk root is in use by i-2-7-VM"),
        (running.host.unmount_pool(running.pool_spec), "storage pool P is in use by i-2-7-VM"),
    ):
        with pytest.raises(HypervisorError, match=text):
            running.do(work)
    running.do(running.host.delete_volume("free", "P", "free"))
    assert (running.pool / "root").exists() and not (running.pool / "free").exists()


@pytest.mark.lab
def test_a_backup_ends_with_its_instance(running: RunningBench) -> None:
    async def work() -> None:
        making = asyncio.create_task(
            running.host.backup_snapshot("w", running.disk("root"), running.store_url, running.vm)
        )
        await running.begun(running.store / "snapshots")
        await asyncio.to_thread(running.domain.destroy)
        with pytest.raises(HypervisorError, match=r"backing up root of i-2-7-VM"):
            await making

    before = running.in_store()
    running.do(work())
    assert running.in_store() == before
    disks = {"vda": running.pool / "root", "vdb": running.pool / "data"}
    running.domain = running.direct.createXML(writing_guest.domain_xml(running.vm, disks))
