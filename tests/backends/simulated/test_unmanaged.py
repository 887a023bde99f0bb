"""Instances that the cloud did not make, and the ISO drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backends.simulated.datacenter import GIB
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec

if TYPE_CHECKING:
    from conftest import Bench

ISO = ImageSpec(store_url="nfs://sim/zone-1/secondary", path="templates/rescue", size=GIB, format="ISO")


def test_a_host_describes_the_instances_that_are_not_known(bench: Bench) -> None:
    bench.do(bench.a.start_vm(bench.vm("i-2-1-VM", bench.disk("root"))))
    placed = bench.world.place_unmanaged(
        bench.a.name, "legacy", cpus=2, disks_gib=(4, 1), vlans=("77", None), guest_os="Debian"
    )
    bench.consistent()
    (found,) = bench.do(bench.a.unmanaged_instances(None, ("i-2-1-VM",)))
    assert (found.name, found.id, found.state) == ("legacy", placed.id, "PowerOn")
    assert (found.cpus, found.memory_mib, found.cpu_mhz, found.guest_os) == (2, 512, 1000, "Debian")
    assert [(d.label, d.pool_id, d.pool_path, d.size) for d in found.disks] == [
        ("vda", "P", "legacy-0", 4 * GIB),
        ("vdb", "P", "legacy-1", GIB),
    ]
    assert [(n.vlan, n.bridge) for n in found.nics] == [("77", "br-77"), (None, "cloudbr0")]
    assert len({n.mac for n in found.nics}) == 2
    assert {i.name for i in bench.do(bench.a.unmanaged_instances(None, ()))} == {"i-2-1-VM", "legacy"}
    assert [i.name for i in bench.do(bench.a.unmanaged_instances("legacy", ()))] == ["legacy"]
    assert bench.do(bench.a.unmanaged_instances("legacy", ("legacy",))) == ()
    assert bench.do(bench.b.unmanaged_instances(None, ())) == ()
    assert "legacy" in bench.names(bench.a), "an agent reports it like any other"


def test_what_cannot_be_placed_leaves_nothing_behind(bench: Bench) -> None:
    for what in ({"memory_mib": 9000}, {"disks_gib": (1, 5000)}, {"pool_id": "none"}):
        with pytest.raises(HypervisorError):
            bench.world.place_unmanaged(bench.a.name, "legacy", **what)
    assert bench.names(bench.a) == [] and not bench.pool.contents
    bench.world.place_unmanaged(bench.a.name, "legacy")
    with pytest.raises(HypervisorError, match="already"):
        bench.world.place_unmanaged(bench.a.name, "legacy")
    bench.consistent()


def test_an_instance_of_another_id_is_not_taken_for_the_one_to_start(bench: Bench) -> None:
    bench.world.place_unmanaged(bench.a.name, "i-2-1-VM")
    with pytest.raises(HypervisorError, match="another instance called i-2-1-VM"):
        bench.do(bench.a.start_vm(bench.vm("i-2-1-VM", bench.disk("root"))))


def test_an_iso_is_put_into_the_drive_and_ejected(bench: Bench) -> None:
    bench.do(bench.a.start_vm(bench.vm("i-1", bench.disk("root"))))
    for _ in range(2):
        bench.do(bench.a.attach_iso("i-1", ISO))
        assert bench.a.guests["i-1"].spec.iso == ISO
    bench.do(bench.a.delete_image(ISO))
    with pytest.raises(HypervisorError, match="there is no templates/rescue"):
        bench.do(bench.a.attach_iso("i-1", ISO))
    for _ in range(2):
        bench.do(bench.a.attach_iso("i-1", None))
        assert bench.a.guests["i-1"].spec.iso is None
    with pytest.raises(HypervisorError, match="does not run"):
        bench.do(bench.b.attach_iso("i-1", None))
