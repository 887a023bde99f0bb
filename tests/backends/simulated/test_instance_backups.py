"""Backups of instances in the simulated world: the time they take, and what is left of those that fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backends.simulated.datacenter import GIB
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec

if TYPE_CHECKING:
    from conftest import Bench

SHELF = "nfs://nas.example.org/backups"


def test_disks_are_copied_one_after_the_other_over_the_links_of_the_repository(bench: Bench) -> None:
    root, data = bench.disk("root"), bench.disk("data")
    began = bench.now
    files = bench.do(bench.a.take_backup("b", (root, data), SHELF, None, False))
    store = bench.world.site.stores[SHELF]
    assert [file.path for file in files] == ["backups/b-root", "backups/b-data"]
    assert store.files == {file.path: file.physical_size for file in files}
    assert bench.now - began >= sum(store.files.values()) / store.disks.capacity
    assert sum(store.files.values()) == bench.pool.used
    image = ImageSpec(SHELF, files[0].path, root.size)
    bench.do(bench.b.revert_snapshot(root, image))
    bench.do(bench.b.create_volume("copy", "P", root.size, None, image))
    bench.consistent()


def test_a_repository_is_one_however_it_is_mounted(bench: Bench) -> None:
    bench.do(bench.a.take_backup("b", (bench.disk("root"),), f"{SHELF}?options=vers=4.1", None, False))
    assert set(bench.world.site.stores[SHELF].files) == {"backups/b-root"}


def test_a_backup_that_fails_leaves_nothing(bench: Bench) -> None:
    root = bench.disk("root")
    with pytest.raises(HypervisorError, match="i-1"):
        bench.do(bench.a.take_backup("b", (root,), SHELF, "i-1", False))
    bench.do(bench.a.start_vm(bench.vm("i-1", root)))
    with pytest.raises(HypervisorError, match="in use by i-1@"):
        bench.do(bench.b.take_backup("b", (root,), SHELF, None, False))
    store = bench.world.site.store(SHELF, bench.a.place)
    store.capacity = GIB // 100
    with pytest.raises(HypervisorError, match="is full"):
        bench.do(bench.a.take_backup("b", (root,), SHELF, "i-1", False))
    store.capacity = 100 * GIB

    async def broken_off() -> None:
        taking = asyncio.get_running_loop().create_task(
            bench.a.take_backup("b", (root,), SHELF, "i-1", False)
        )
        await asyncio.sleep(0.15)
        assert store.used > 0
        taking.cancel()
        await asyncio.wait([taking])

    bench.do(broken_off())
    assert store.files == {} and store.used == 0
