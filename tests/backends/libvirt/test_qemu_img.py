from __future__ import annotations

import asyncio
import os
import stat
import time
from pathlib import Path

import pytest

from backends.libvirt import qemu_img
from cloudsim.hypervisor import HypervisorError
from tests.backends.libvirt.storage_bench import MIB, content, make_image, write


def test_images_are_made_cloned_grown_and_shrunk(tmp_path: Path) -> None:
    base, clone = tmp_path / "base", tmp_path / "clone"

    async def work() -> None:
        await qemu_img.create(base, 8 * MIB + 1)
        await qemu_img.clone(clone, "base", 16 * MIB)
        await qemu_img.resize(clone, 32 * MIB)
        with pytest.raises(HypervisorError, match=r"resizing .*clone: .*--shrink"):
            await qemu_img.resize(clone, 4 * MIB)
        await qemu_img.resize(clone, 4 * MIB, shrink=True)

    asyncio.run(work())
    made = asyncio.run(qemu_img.info(base))
    assert (made.format, made.virtual_size, made.backing) == ("qcow2", 8 * MIB + 512, None), "whole sectors"
    assert made.actual_size < MIB, "an empty image takes no room"
    thin = asyncio.run(qemu_img.info(clone))
    assert (thin.virtual_size, thin.backing) == (4 * MIB, "base")


def test_a_copy_stands_alone(tmp_path: Path) -> None:
    base, clone, copy = tmp_path / "base", tmp_path / "clone", tmp_path / "copy"
    make_image(base, 4 * MIB, b"b" * MIB)
    asyncio.run(qemu_img.clone(clone, "base"))
    asyncio.run(qemu_img.convert(clone, copy))
    base.unlink()
    assert asyncio.run(qemu_img.info(copy)).backing is None
    assert content(copy, 10) == b"b" * 10


def test_snapshots_inside_an_image(tmp_path: Path) -> None:
    image, copy = tmp_path / "image", tmp_path / "copy"

    async def work() -> None:
        await qemu_img.create(image, 4 * MIB)
        write(image, 1)
        await qemu_img.snapshot_create(image, "one")
        write(image, 2)
        await qemu_img.snapshot_create(image, "two")
        assert await qemu_img.snapshot_list(image) == ("one", "two")
        await qemu_img.convert(image, copy, snapshot="one")
        await qemu_img.snapshot_apply(image, "one")
        await qemu_img.snapshot_delete(image, "one")
        with pytest.raises(HypervisorError, match="going back to snapshot one of"):
            await qemu_img.snapshot_apply(image, "one")

    asyncio.run(work())
    assert content(copy, 4) == content(image, 4) == b"\1\1\1\1"
    assert asyncio.run(qemu_img.snapshot_list(image)) == ("two",)
    asyncio.run(qemu_img.check(image))


def test_failures_carry_the_text_of_qemu_img(tmp_path: Path) -> None:
    with pytest.raises(HypervisorError, match=r"looking at .*/none: Could not open .* No such file or directory"):
        asyncio.run(qemu_img.info(tmp_path / "none"))
    damaged = tmp_path / "damaged"
    make_image(damaged, 4 * MIB, b"x" * MIB)
    with damaged.open("r+b") as file:
        file.seek(0x20000)  # the refcount blocks
        file.write(b"\xff" * 512)
    with pytest.raises(HypervisorError, match="damaged is damaged"):
        asyncio.run(qemu_img.check(damaged))


def test_an_image_that_is_open_for_writing_is_seen_to_be_so(tmp_path: Path) -> None:
    image = tmp_path / "image"

    async def work() -> None:
        await qemu_img.create(image, 4 * MIB)
        assert not await qemu_img.in_use(image)
        user = await asyncio.create_subprocess_exec(
            "qemu-io", "-f", "qcow2", str(image), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert user.stdin is not None and user.stdout is not None
        user.stdin.write(b"length\n")
        await user.stdout.readuntil(b"MiB")
        assert await qemu_img.in_use(image)
        assert (await qemu_img.info(image)).virtual_size == 4 * MIB, "to look at it is possible nevertheless"
        user.stdin.close()
        await user.wait()
        assert not await qemu_img.in_use(image)

    asyncio.run(work())


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of qemu-img a program that notes its process id and does not end."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "qemu-img"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "pid"


def _gone(note: Path) -> bool:
    return not Path(f"/proc/{note.read_text().strip()}").exists()


def _wait_for(note: Path) -> None:
    while not (note.exists() and note.read_text().endswith("\n")):
        time.sleep(0.01)


def test_the_program_dies_with_its_caller(endless: Path, tmp_path: Path) -> None:
    async def work() -> None:
        task = asyncio.create_task(qemu_img.create(tmp_path / "image", MIB))
        async with asyncio.timeout(50):
            await asyncio.to_thread(_wait_for, endless)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() and _gone(endless)

    asyncio.run(work())


def test_the_program_has_limited_time(
    endless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu_img, "_START", 3.0)
    begun = time.monotonic()
    with pytest.raises(HypervisorError, match=r"snapshot s of .*: qemu-img took longer than 3 s"):
        asyncio.run(qemu_img.snapshot_create(tmp_path / "image", "s"))
    assert time.monotonic() - begun < 50 and _gone(endless)


def test_copies_have_time_according_to_their_size() -> None:
    assert qemu_img.copy_limit(0) == 300
    assert qemu_img.copy_limit(1 << 40) > 86400
