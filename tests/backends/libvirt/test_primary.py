from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from backends.libvirt import primary, qemu_img
from cloudsim.hypervisor import STEPS, HypervisorError
from cloudsim.protocol.specs import ImageSpec, PoolSpec
from tests.backends.libvirt.storage_bench import MIB, StorageBench, content, make_image, write
from tests.backends.libvirt.storage_bench import qemu_img as run_qemu_img


@pytest.fixture
def bench(tmp_path: Path) -> StorageBench:
    return StorageBench(tmp_path)


def info(file: Path) -> qemu_img.ImageInfo:
    return asyncio.run(qemu_img.info(file))


# templates


def test_a_template_comes_to_the_pool_once_however_many_ask(
    bench: StorageBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = bench.image(size=8 * MIB)
    copies = []
    receive = primary.receive
    monkeypatch.setattr(primary, "receive", lambda *a, **k: copies.append(1) or receive(*a, **k))

    async def all_at_once() -> list[tuple[str, int]]:
        return await asyncio.gather(*(bench.host.copy_template(image, "P", "t") for _ in range(4)))

    assert bench.do(all_at_once()) == [("template-t", 8 * MIB)] * 4, "the size that guests see"
    assert copies == [1] and bench.on_pool() == ["template-t"]
    assert content(bench.pool / "template-t", 4) == b"\x08" * 4


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_a_templates_checksum_is_verified_on_the_way(bench: StorageBench, algorithm: str) -> None:
    image = bench.image()
    right = hashlib.new(algorithm, (bench.store / image.path).read_bytes()).hexdigest()
    wrong = "0" * len(right)
    with pytest.raises(HypervisorError, match=f"template t in secondary storage is damaged: .* instead of .*{wrong}"):
        bench.do(bench.host.copy_template(replace(image, checksum=wrong), "P", "t"))
    assert bench.on_pool() == []
    bench.do(bench.host.copy_template(replace(image, checksum=right.upper()), "P", "t"))
    assert bench.on_pool() == ["template-t"]


@pytest.mark.parametrize(("format", "suffix"), [("RAW", "raw"), ("VHD", "vpc"), ("VMDK", "vmdk"), ("VHDX", "vhdx")])
def test_templates_of_other_formats_become_qcow2(bench: StorageBench, format: str, suffix: str) -> None:
    file = bench.store / "templates" / f"t.{'vhd' if suffix == 'vpc' else suffix}"
    file.parent.mkdir()
    make_image(file, 8 * MIB, b"\xebabc" * 1024, suffix)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    image = ImageSpec(bench.store_url, f"templates/{file.name}", 8 * MIB, format, f"{{SHA-256}}{digest}")
    with pytest.raises(HypervisorError, match="is damaged"):
        bench.do(bench.host.copy_template(replace(image, checksum="0" * 64), "P", "t"))
    path, size = bench.do(bench.host.copy_template(image, "P", "t"))
    assert size >= 8 * MIB and info(bench.pool / path).format == "qcow2"
    assert content(bench.pool / path, 8) == b"\xebabc\xebabc"


def test_isos_are_copied_as_they_are(bench: StorageBench) -> None:
    file = bench.store / "i.iso"
    file.write_bytes(iso(1))
    path, size = bench.do(bench.host.copy_template(ImageSpec(bench.store_url, "i.iso", 1, "ISO"), "P", "i"))
    assert (path, size) == ("template-i", len(iso(1)))
    assert (bench.pool / path).read_bytes() == iso(1)


@pytest.mark.parametrize("format", ["OVA", "TAR", "BAREMETAL"])
def test_other_formats_are_not_supported(bench: StorageBench, format: str) -> None:
    image = ImageSpec(bench.store_url, "templates/t", 1, format)
    with pytest.raises(HypervisorError, match=f"images of format {format} are not supported on this host"):
        bench.do(bench.host.copy_template(image, "P", "t"))


def test_a_template_that_is_not_there_or_not_what_it_should_be(bench: StorageBench) -> None:
    with pytest.raises(HypervisorError, match=f"there is no templates/none in secondary storage {bench.store_url}"):
        bench.do(bench.host.copy_template(ImageSpec(bench.store_url, "templates/none", 1), "P", "t"))
    with pytest.raises(HypervisorError, match=r"'../pool' is no file in secondary storage"):
        bench.do(bench.host.copy_template(ImageSpec(bench.store_url, "../pool", 1), "P", "t"))
    with pytest.raises(HypervisorError, match="there is no folder /nowhere/at/all on this host"):
        bench.do(bench.host.copy_template(ImageSpec("file:///nowhere/at/all", "t", 1), "P", "t"))
    image = bench.image()
    run_qemu_img("rebase", "-u", "-F", "raw", "-b", "/etc/passwd", str(bench.store / image.path))
    with pytest.raises(HypervisorError, match="not complete in itself"):
        bench.do(bench.host.copy_template(image, "P", "t"))
    assert bench.on_pool() == []


def test_a_template_cannot_go_before_its_clones(bench: StorageBench) -> None:
    bench.template()
    for volume in ("one", "two"):
        bench.do(bench.host.create_volume(volume, "P", 0, "template-t", None))
    bench.do(bench.host.create_volume("other", "P", MIB, None, None))
    with pytest.raises(HypervisorError, match="template-t on storage pool P is still needed by one, two"):
        bench.do(bench.host.delete_template("P", "template-t"))
    for volume in ("one", "two"):
        bench.do(bench.host.delete_volume(volume, "P", volume))
    bench.do(bench.host.delete_template("P", "template-t"))
    bench.do(bench.host.delete_template("P", "template-t"))
    assert bench.on_pool() == ["other"]


# volumes


def test_volumes_are_thin_clones_that_know_their_template_by_a_relative_name(bench: StorageBench) -> None:
    bench.template(8 * MIB)
    assert bench.do(bench.host.create_volume("small", "P", MIB, "template-t", None)) == ("small", 8 * MIB)
    assert bench.do(bench.host.create_volume("v", "P", 16 * MIB, "template-t", None)) == ("v", 16 * MIB)
    made = info(bench.pool / "v")
    assert (made.format, made.virtual_size, made.backing) == ("qcow2", 16 * MIB, "template-t")
    assert made.actual_size < MIB
    assert content(bench.pool / "v", 4) == b"\x08" * 4
    elsewhere = bench.pool.rename(bench.pool.with_name("elsewhere"))
    assert content(elsewhere / "v", 4) == b"\x08" * 4, "another host may mount the pool at another place"


def test_volumes_are_empty_or_full_copies_of_an_image(bench: StorageBench) -> None:
    assert bench.do(bench.host.create_volume("empty", "P", 64 * MIB + 1, None, None)) == (
        "empty",
        64 * MIB + 512,
    )
    image = bench.image("snapshots/s.qcow2", 8 * MIB)
    assert bench.do(bench.host.create_volume("same", "P", 0, None, image)) == ("same", 8 * MIB)
    assert bench.do(bench.host.create_volume("grown", "P", 16 * MIB, None, image)) == ("grown", 16 * MIB)
    assert info(bench.pool / "grown").backing is None
    assert content(bench.pool / "grown", 4) == b"\x08" * 4
    assert bench.on_pool() == ["empty", "grown", "same"]


def test_a_volume_is_made_once(bench: StorageBench) -> None:
    image = bench.image()

    async def all_at_once() -> list[tuple[str, int]]:
        return await asyncio.gather(
            *(bench.host.create_volume("v", "P", 16 * MIB, None, image) for _ in range(3))
        )

    assert bench.do(all_at_once()) == [("v", 16 * MIB)] * 3
    write(bench.pool / "v", 7)
    assert bench.do(bench.host.create_volume("v", "P", 99 * MIB, None, image)) == ("v", 16 * MIB)
    assert content(bench.pool / "v", 2) == b"\7\7", "what a guest wrote into it stays"


def test_what_cannot_be_made_leaves_nothing(bench: StorageBench) -> None:
    with pytest.raises(HypervisorError, match="there is no template-t on storage pool P"):
        bench.do(bench.host.create_volume("v", "P", MIB, "template-t", None))
    with pytest.raises(HypervisorError, match="there is no snapshots/s in secondary storage"):
        bench.do(bench.host.create_volume("v", "P", MIB, None, ImageSpec(bench.store_url, "snapshots/s", 1)))
    with pytest.raises(HypervisorError, match="storage pool Q is not mounted on this host"):
        bench.do(bench.host.create_volume("v", "Q", MIB, None, None))
    with pytest.raises(HypervisorError, match=r"'../v' is no file on storage pool P"):
        bench.do(bench.host.create_volume("../v", "P", MIB, None, None))
    assert bench.on_pool() == []


def test_a_removal_waits_for_the_making_so_that_nothing_is_made_after_it(bench: StorageBench) -> None:
    image = bench.image()

    async def work() -> None:
        making = asyncio.create_task(bench.host.create_volume("v", "P", 0, None, image))
        await bench.begun(bench.pool)
        await bench.host.delete_volume("v", "P", "v")
        assert making.done() and making.result() == ("v", 8 * MIB)

    bench.do(work())
    assert bench.on_pool() == []


def test_a_copy_that_is_given_up_leaves_nothing(bench: StorageBench) -> None:
    image = bench.image()

    async def work() -> None:
        making = asyncio.create_task(bench.host.create_volume("v", "P", 0, None, image))
        await bench.begun(bench.pool)
        making.cancel()
        await asyncio.wait([making])
        assert making.cancelled()

    bench.do(work())
    assert bench.on_pool() == []


def test_a_disk_that_runs_is_not_removed(bench: StorageBench) -> None:
    bench.do(bench.host.create_volume("v", "P", MIB, None, None))
    bench.libvirt.running["i-2-7-VM"] = {"vda": bench.pool / "v"}
    with pytest.raises(HypervisorError, match="volume v is in use by i-2-7-VM"):
        bench.do(bench.host.delete_volume("v", "P", "v"))
    bench.libvirt.running.clear()
    with (
        subprocess.Popen(
            ["qemu-io", "-f", "qcow2", str(bench.pool / "v")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
        pytest.raises(HypervisorError, match="volume v is in use by another process, perhaps on another host"),
    ):
        assert other.stdin is not None and other.stdout is not None
        other.stdin.write(b"length\n")
        other.stdin.flush()
        other.stdout.readline()
        bench.do(bench.host.delete_volume("v", "P", "v"))
    bench.do(bench.host.delete_volume("v", "P", "v"))
    bench.do(bench.host.delete_volume("v", "P", "v"))
    assert bench.on_pool() == []


def test_a_damaged_disk_can_be_removed(bench: StorageBench) -> None:
    (bench.pool / "v").write_bytes(b"rubbish")
    bench.do(bench.host.delete_volume("v", "P", "v"))
    assert bench.on_pool() == []


def test_disks_that_nothing_runs_on_grow_and_shrink(bench: StorageBench) -> None:
    bench.template()
    bench.do(bench.host.create_volume("v", "P", 0, "template-t", None))
    assert bench.do(bench.host.resize_volume(bench.disk("v"), 32 * MIB, None)) == 32 * MIB
    assert bench.do(bench.host.resize_volume(bench.disk("v"), 4 * MIB, None)) == 4 * MIB
    assert info(bench.pool / "v").virtual_size == 4 * MIB
    with pytest.raises(HypervisorError, match="there is no w on storage pool P"):
        bench.do(bench.host.resize_volume(bench.disk("w"), MIB, None))
    bench.libvirt.running["i-2-7-VM"] = {"vda": bench.pool / "v"}
    with pytest.raises(HypervisorError, match="disk v is in use by i-2-7-VM"):
        bench.do(bench.host.resize_volume(bench.disk("v"), 64 * MIB, None))


# pools


def test_a_pool_cannot_go_while_instances_use_it(bench: StorageBench) -> None:
    bench.libvirt.running["i-2-7-VM"] = {"vda": bench.pool / "v"}
    with pytest.raises(HypervisorError, match="storage pool P is in use by i-2-7-VM"):
        bench.do(bench.host.unmount_pool(bench.pool_spec))
    bench.libvirt.running["i-2-7-VM"] = {"vda": Path(f"{bench.pool}-2/v")}
    bench.do(bench.host.unmount_pool(bench.pool_spec))
    bench.do(bench.host.unmount_pool(bench.pool_spec))
    with pytest.raises(HypervisorError, match="storage pool P is not mounted"):
        bench.do(bench.host.pool_statistics("P"))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_pool_is_said_to_be_full_and_keeps_nothing(bench: StorageBench) -> None:
    big = bench.image("templates/big.qcow2", 8 * MIB)
    write(bench.store / big.path, 5, 8 * MIB)
    packed = bench.image("templates/packed.qcow2", 8 * MIB)
    write(bench.store / packed.path, 6, 8 * MIB)
    run_qemu_img("convert", "-c", "-O", "qcow2", str(bench.store / packed.path), str(bench.store / "p"))
    (bench.store / "p").replace(bench.store / packed.path)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(bench.pool)]).returncode:
        pytest.skip("this machine cannot mount")
    try:
        needs = r"storage pool P is full: .* needs [0-9]+ bytes, and [0-9]+ of 2097152 are left"
        for work, text in (
            (bench.host.copy_template(big, "P", "t"), needs),
            (bench.host.create_volume("v", "P", 0, None, big), needs),
            (bench.host.create_volume("v", "P", 0, None, packed), r"storage pool P is full: .*qemu-img|No space"),
        ):
            with pytest.raises(HypervisorError, match=text):
                bench.do(work)
            assert bench.on_pool() == []
        assert bench.do(bench.host.pool_statistics("P")).capacity == 2 * MIB
    finally:
        subprocess.run(["umount", str(bench.pool)], check=True)


def test_a_host_clears_away_what_it_was_making_but_not_what_others_are(tmp_path: Path) -> None:
    one = StorageBench(tmp_path, "host-1")
    two = StorageBench(tmp_path, "host-2", shared=tmp_path)
    for guid in ("guid-host-1", "guid-host-2"):
        (one.pool / f".new-{guid}-1234-v").touch()
    (one.pool / "v").touch()
    one.start()
    one.do(one.host.mount_pool(one.pool_spec))
    assert one.on_pool() == [".new-guid-host-2-1234-v", "v"]
    two.start()
    two.do(two.host.restore_pools())
    assert two.on_pool() == ["v"]


def test_mounting_a_pool_again_does_not_disturb_what_is_being_made_there(bench: StorageBench) -> None:
    image = bench.image()

    async def work() -> None:
        making = asyncio.create_task(bench.host.create_volume("v", "P", 0, None, image))
        await bench.begun(bench.pool)
        await bench.host.mount_pool(bench.pool_spec)
        assert await making == ("v", 8 * MIB)

    bench.do(work())
    assert bench.on_pool() == ["v"]


def test_a_hosts_own_disk_is_where_its_operator_says(bench: StorageBench) -> None:
    own = bench.pool / "own"
    bench.settings = replace(bench.settings, local_storage=own)
    bench.start()
    local = PoolSpec("L", "Filesystem", "10.0.0.1", "/var/lib/libvirt/images")
    bench.do(bench.host.mount_pool(local))
    assert bench.host.pools.path("L") == own and own.is_dir()


def test_the_parts_of_a_command_are_timed(bench: StorageBench) -> None:
    steps: dict[str, float] = {}

    async def work() -> None:
        STEPS.set(steps)
        await bench.host.copy_template(bench.image(), "P", "t")
        await bench.host.create_volume("v", "P", 0, "template-t", None)
        await bench.host.create_volume("w", "P", MIB, None, None)
        await bench.host.resize_volume(bench.disk("w"), 2 * MIB, None)
        await bench.host.delete_volume("w", "P", "w")

    bench.do(work())
    assert set(steps) == {"template_copy", "template_clone", "volume_create", "volume_resize", "volume_delete"}
    assert all(0 < seconds < 60 for seconds in steps.values())


def iso(tag: int) -> bytes:
    """Enough of an optical disc's file system to be known as one."""
    return bytes(16 * 2048) + b"\1CD001\1" + bytes([tag]) * 2041 + bytes(8 * 2048)
