from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backends.simulated.datacenter import GIB
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec, PoolSpec, PoolStatistics

if TYPE_CHECKING:
    from conftest import Bench

HOST = 10e9 / 8


def test_templates_are_copied_once_for_all_hosts_and_cloned_thin(bench: Bench) -> None:
    async def both() -> list[tuple[str, int]]:
        return await asyncio.gather(
            bench.a.copy_template(bench.image, "P", "debian"), bench.b.copy_template(bench.image, "P", "debian")
        )

    start = bench.now
    assert bench.do(both()) == [("template-debian", 2 * GIB)] * 2
    assert bench.now - start == pytest.approx(2 * GIB / (40e9 / 8), rel=1e-3), "storage links carry 40 Gbit/s"
    assert bench.pool.used == 2 * GIB
    path, size = bench.do(bench.a.create_volume("root", "P", GIB, "template-debian", None))
    assert (path, size) == ("root", 2 * GIB), "a clone is no smaller than its template"
    assert bench.pool.used == pytest.approx(2.2 * GIB, abs=1)
    with pytest.raises(HypervisorError, match="has 1 clones"):
        bench.do(bench.b.delete_template("P", "template-debian"))
    bench.do(bench.b.delete_volume("root", "P", "root"))
    bench.do(bench.b.delete_volume("root", "P", "root"))
    bench.do(bench.a.delete_template("P", "template-debian"))
    bench.do(bench.a.delete_template("P", "template-debian"))
    assert bench.pool.used == 0


def test_pools_are_shared_or_local_and_must_be_mounted(bench: Bench) -> None:
    with pytest.raises(HypervisorError, match="pool Q is not mounted on host-1"):
        bench.do(bench.a.create_volume("v", "Q", GIB, None, None))
    with pytest.raises(HypervisorError, match=r"pool L2 is on the disk of .*host-2, not of host-1"):
        bench.do(bench.a.mount_pool(PoolSpec("L2", "Filesystem", bench.b.address, "/var/local")))
    with pytest.raises(HypervisorError, match="no primary storage zone-1/nothing"):
        bench.do(bench.a.mount_pool(PoolSpec("Q", "NetworkFilesystem", "sim", "/zone-1/nothing")))
    cloudstack = PoolSpec("Q", "NetworkFilesystem", "10.147.28.6", "/export/primary", 2049)
    assert bench.do(bench.a.mount_pool(cloudstack)) == PoolStatistics(1 << 40, 0)
    bench.do(bench.b.mount_pool(cloudstack))
    bench.do(bench.a.create_volume("v", "Q", 10 * GIB, None, None))
    assert bench.do(bench.b.pool_statistics("Q")).used == GIB
    bench.do(bench.a.start_vm(bench.vm("i-1", bench.disk("root"))))
    spec = PoolSpec("P", "NetworkFilesystem", "sim", "/zone-1/pod-1/rack-1/primary")
    with pytest.raises(HypervisorError, match=r"in use on host-1.* by i-1"):
        bench.do(bench.a.unmount_pool(spec))
    bench.do(bench.b.unmount_pool(spec))
    bench.do(bench.b.unmount_pool(spec))
    bench.consistent()


def test_a_full_pool_refuses_with_sizes_and_keeps_nothing(bench: Bench) -> None:
    with pytest.raises(HypervisorError, match=r"pool zone-1/.*/primary is full: huge needs \d+ bytes, and 0 of"):
        bench.do(bench.a.create_volume("huge", "P", 2000 * GIB, None, None))
    bench.do(bench.a.copy_template(bench.image, "P", "debian"))
    used = bench.pool.used
    bench.pool.fill()
    for work in (
        bench.a.create_volume("v", "P", GIB, "template-debian", None),
        bench.a.create_volume("v", "P", GIB, None, bench.image),
        bench.a.copy_template(bench.image, "P", "other"),
    ):
        with pytest.raises(HypervisorError, match="is full"):
            bench.do(work)
    bench.pool.unfill()
    assert bench.pool.used == used and list(bench.pool.contents) == ["template-debian"]


def test_a_volume_whose_copy_breaks_off_is_gone(bench: Bench) -> None:
    bench.at(0.2, bench.a.power_off)
    with pytest.raises(HypervisorError, match="lost power"):
        bench.do(bench.a.create_volume("v", "P", GIB, None, bench.image))
    assert not bench.pool.contents and bench.pool.used == 0


def test_volumes_grow_and_shrink_but_not_under_a_guest(bench: Bench) -> None:
    disk = bench.disk("root")
    assert bench.do(bench.a.resize_volume(disk, 16 * GIB, None)) == 16 * GIB
    assert bench.pool.used == pytest.approx(1.6 * GIB, abs=2)
    assert bench.do(bench.a.resize_volume(disk, 8 * GIB, None)) == 8 * GIB
    bench.do(bench.a.start_vm(bench.vm("i-1", disk)))
    bench.do(bench.a.resize_volume(disk, 10 * GIB, "i-1"))
    assert bench.a.guests["i-1"].disks[0].size == 10 * GIB
    with pytest.raises(HypervisorError, match="running i-1 cannot shrink"):
        bench.do(bench.a.resize_volume(disk, GIB, "i-1"))
    with pytest.raises(HypervisorError, match="in use by i-1@"):
        bench.do(bench.a.resize_volume(disk, 20 * GIB, None))
    bench.consistent()


def test_a_snapshot_goes_to_the_store_and_back(bench: Bench) -> None:
    disk = bench.disk("root")
    path, size = bench.do(bench.a.backup_snapshot("s1", disk, bench.store_url, None))
    assert size == bench.pool.used and path == "snapshots/s1"
    image = ImageSpec(bench.store_url, path, size)
    bench.do(bench.a.revert_snapshot(disk, image))
    template, virtual = bench.do(bench.b.create_template("t1", bench.store_url, None, disk))
    assert virtual == disk.size
    other, _ = bench.do(bench.b.create_template("t2", bench.store_url, image, None))
    store = bench.world.site.stores[bench.store_url]
    assert set(store.files) == {path, template, other} and store.used == sum(store.files.values())
    bench.do(bench.a.delete_image(image))
    with pytest.raises(HypervisorError, match="there is no snapshots/s1"):
        bench.do(bench.a.revert_snapshot(disk, image))
    bench.do(bench.a.start_vm(bench.vm("i-1", disk)))
    with pytest.raises(HypervisorError, match="in use by"):
        bench.do(bench.a.revert_snapshot(disk, image))
    bench.consistent()


def test_downloads_are_of_the_size_that_the_url_says(bench: Bench) -> None:
    start = bench.now
    url = "http://images.example/debian.qcow2?size=5g"
    _, size, checksum = bench.do(bench.a.download_template("t", url, bench.store_url, "QCOW2", None))
    assert size == 5 * GIB and bench.now - start == pytest.approx(5 * GIB / HOST)
    again = bench.do(bench.b.download_template("u", url, bench.store_url, "QCOW2", None))
    assert again[2] == checksum
    _, default, wanted = bench.do(
        bench.a.download_template("v", "https://images.example/x", bench.store_url, "QCOW2", "{MD5}1")
    )
    assert (default, wanted) == (10**9, "{MD5}1")


def test_a_template_comes_from_another_image_store_as_well(bench: Bench) -> None:
    url = "http://images.example/debian.qcow2?size=5g"
    path, _, _ = bench.do(bench.a.download_template("t", url, bench.store_url, "QCOW2", None))
    start, other = bench.now, "nfs://sim/other/secondary"
    copy = bench.do(bench.a.download_template("t", f"{bench.store_url}/{path}", other, "QCOW2", None))
    assert copy == (path, 5 * GIB, None) and bench.now > start
    assert bench.world.site.stores[other].files == {path: 5 * GIB}
    with pytest.raises(HypervisorError, match="has no server"):
        bench.do(bench.a.download_template("u", f"{bench.store_url}/gone", other, "QCOW2", None))


@pytest.mark.parametrize(
    ("url", "checksum", "text"),
    [
        ("http://fail.example/x", None, "fail.example does not serve it"),
        ("http://images.example/fail/x", None, "does not serve it"),
        ("nfs://images.example/x", None, "scheme 'nfs'"),
        ("images.example/x", None, "scheme 'missing'"),
        ("http://images.example/x?size=lots", None, "'lots' is not a size"),
        ("http://images.example/x?corrupt", "{MD5}1", "does not have the checksum {MD5}1"),
        ("http://images.example/x?size=1000t", None, "full"),
    ],
)
def test_downloads_fail_with_a_reason_and_leave_nothing(
    bench: Bench, url: str, checksum: str | None, text: str
) -> None:
    with pytest.raises(HypervisorError, match=text):
        bench.do(bench.a.download_template("t", url, bench.store_url, "QCOW2", checksum))
    assert not bench.world.site.stores[bench.store_url].files


def test_with_the_zero_profile_everything_happens_at_once(make_bench: type[Bench]) -> None:
    bench = make_bench("zero")
    bench.do(bench.a.copy_template(bench.image, "P", "debian"))
    bench.do(bench.a.create_volume("root", "P", GIB, "template-debian", None))
    vm = bench.vm("i-1", bench.disk("data"))
    bench.do(bench.a.start_vm(vm))
    assert bench.do(bench.a.migrate_vm("i-1", bench.b.address, False)) == 0.0
    bench.do(bench.b.stop_vm("i-1", False))
    assert bench.now == 0.0
    bench.consistent()
