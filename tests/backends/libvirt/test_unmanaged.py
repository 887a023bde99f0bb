from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("libvirt")

from backends.libvirt.unmanaged import describe
from cloudsim.protocol.specs import NicSpec, UnmanagedDisk, UnmanagedInstance, UnmanagedNic
from tests.backends.libvirt.host_alone import POOL, empty_disk, instance, opened
from tests.backends.libvirt.libvirtd_alone import LonelyHost, lonely_host

SHOP = """<domain type='kvm' id='3'>
  <name>shop</name>
  <uuid>5d1f3b52-9b0c-4d9a-8f2e-6c3b7a1d0e4f</uuid>
  <metadata><libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
    <libosinfo:os id="http://debian.org/debian/12"/></libosinfo:libosinfo></metadata>
  <memory unit='GiB'>4</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <vcpu placement='static' current='2'>8</vcpu>
  <devices>
    <disk type='file' device='disk'><source file='/pool/shop/root.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><source file='/isos/debian.iso'/><target dev='hdc' bus='ide'/></disk>
    <disk type='block' device='disk'><source dev='/dev/vg/log'/><target dev='sda' bus='scsi'/></disk>
    <disk type='network' device='disk'><source protocol='rbd' name='images/x'><host name='ceph'/></source>
      <target dev='vdb' bus='virtio'/></disk>
    <disk type='file' device='disk'><source file='/elsewhere/b'/><target dev='vdc' bus='virtio'/></disk>
    <interface type='bridge'><mac address='02:00:00:00:00:01'/><source bridge='br-7'/><target dev='vnet4'/>
      <model type='e1000'/></interface>
    <interface type='network'><mac address='02:00:00:00:00:02'/><source network='default'/><alias name='net1'/></interface>
  </devices>
</domain>"""


def test_a_domain_is_described_from_its_xml() -> None:
    def place_of(file: Path) -> tuple[str | None, str]:
        return ("pool-1", "shop/root.qcow2") if str(file).startswith("/pool/") else (None, "")

    found = describe(SHOP, "PowerOn", {"vda": 1 << 30, "sda": 5}, place_of, {"br-7": "7"}.get)
    assert found == UnmanagedInstance(
        name="shop",
        id="5d1f3b52-9b0c-4d9a-8f2e-6c3b7a1d0e4f",
        state="PowerOn",
        cpus=2,
        memory_mib=2048,
        guest_os="http://debian.org/debian/12",
        disks=(
            UnmanagedDisk("vda", "/pool/shop/root.qcow2", 1 << 30, "pool-1", "shop/root.qcow2", 0, "virtio"),
            UnmanagedDisk("sda", "/dev/vg/log", 5, None, "", 1, "scsi"),
            UnmanagedDisk("vdb", "rbd://ceph/images/x", 0, None, "", 2, "virtio"),
            UnmanagedDisk("vdc", "/elsewhere/b", 0, None, "", 4, "virtio"),
        ),
        nics=(
            UnmanagedNic("vnet4", "02:00:00:00:00:01", "br-7", "7", "e1000"),
            UnmanagedNic("net1", "02:00:00:00:00:02", "", None, "rtl8139"),
        ),
    )


def test_a_domain_that_says_little_is_described_as_well() -> None:
    xml = "<domain><name>x</name><uuid>u</uuid><memory>1048576</memory><devices/></domain>"
    found = describe(xml, "PowerOff", {}, lambda file: (None, ""), lambda bridge: None)
    assert found == UnmanagedInstance("x", "u", "PowerOff", 1, 1024)


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LonelyHost]:
    yield from lonely_host(tmp_path_factory.mktemp("host"))


@pytest.mark.lab
def test_instances_that_the_cloud_does_not_know_are_found_running_or_not(
    lonely: LonelyHost, tmp_path: Path
) -> None:
    """About 3 s."""

    async def story() -> None:
        host = await opened(lonely, tmp_path)
        known = instance(host, "i-2-1-VM")
        other = instance(host, "shop", nics=(NicSpec("nic-1", "02:00:00:00:00:01", "net-1"),))
        off_disk = empty_disk(tmp_path / "off.qcow2", 3 << 20)
        off = (
            "<domain type='qemu'><name>off</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>"
            f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{off_disk}'/><target dev='vda'/></disk>"
            "</devices></domain>"
        )
        try:
            for vm in (known, other):
                await host.start_vm(vm)
            await host.connection.call("defining", lambda connection: connection.defineXML(off))
            found = {each.name: each for each in await host.unmanaged_instances(None, (known.name,))}
            assert set(found) == {"shop", "off"}
            shop = found["shop"]
            assert (shop.id, shop.state, shop.cpus, shop.memory_mib) == (other.id, "PowerOn", 1, 32)
            path = str(host.pools.disk(other.disks[0]))
            assert shop.disks == (UnmanagedDisk("vda", path, 1 << 20, POOL, "shop-root"),)
            [nic] = shop.nics
            assert (nic.mac, nic.bridge, nic.vlan) == ("02:00:00:00:00:01", "guests0", "101")
            assert (found["off"].state, found["off"].memory_mib) == ("PowerOff", 64)
            [disk] = found["off"].disks
            assert (disk.size, disk.pool_id) == (3 << 20, None)
            assert [each.name for each in await host.unmanaged_instances("shop", ())] == ["shop"]
            assert await host.unmanaged_instances("nobody", ()) == ()
        finally:
            for vm in (known, other):
                await host.stop_vm(vm.name, True)
            await host.connection.call(
                "undefining", lambda connection: connection.lookupByName("off").undefine()
            )
            await host.connection.close()

    asyncio.run(story())
