"""A manager's store outlives the process; the datacenter that it describes is there again."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from backends.simulated.datacenter import GIB, uniform
from backends.simulated.restore import restore_world
from backends.simulated.world import SimulatedWorld
from cloudsim.hypervisor import HypervisorError
from cloudsim.model import (
    ROW_TYPES,
    ImageStore,
    Network,
    Nic,
    OutOfBandManagement,
    Snapshot,
    StoragePool,
    Template,
    TemplateOnPool,
    TemplateOnStore,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from cloudsim.model import Host as HostRow
from cloudsim.protocol.messages import Startup
from cloudsim.protocol.specs import ImageSpec
from cloudsim.store import Row, Store
from cloudsim.work import user_data

STORE_URL = "nfs://sim/zone-1/secondary"


def host(number: int, url: str, **fields: Any) -> HostRow:
    known: dict[str, Any] = {
        "name": f"host-{number}",
        "guid": f"guid-{number}",
        "zone_id": "z",
        "pod_id": "p",
        "cluster_id": "c",
        "hypervisor": "Simulator",
        "private_ip": f"10.0.0.{number + 1}",
        "cpus": 8,
        "cpu_mhz": 2000,
        "memory_mib": 32768,
        "state": "Up",
    }
    return HostRow(id=f"h{number}", url=url, **{**known, **fields})


def instance(number: int, state: Any, host_id: str | None) -> VirtualMachine:
    return VirtualMachine(
        id=f"vm{number}",
        name=f"vm{number}",
        display_name="",
        instance_name=f"i-2-{number}-VM",
        account_id="a",
        domain_id="d",
        zone_id="z",
        template_id="t",
        service_offering_id="o",
        cpus=2,
        cpu_mhz=1000,
        memory_mib=2048,
        state=state,
        host_id=host_id,
        updated=1_767_225_000.0,
    )


def volume(number: int, state: Any = "Ready", vm: str | None = None) -> Volume:
    return Volume(
        id=f"vol{number}",
        name="",
        account_id="a",
        domain_id="d",
        zone_id="z",
        type="ROOT",
        size=10 * GIB,
        state=state,
        pool_id="pool",
        path=f"vol{number}",
        vm_id=vm,
        device_id=0,
        template_id="t",
    )


ROWS: list[Row] = [
    host(1, "http://sim/zone-1/pod-1/rack-1/host-1"),
    host(2, "http://sim/cpucore=4", private_ip="10.9.0.7", memory_mib=4096, cpus=4),
    host(3, "http://sim/zone-1/pod-1/rack-1/host-2", state="Removed"),
    host(4, "http://kvm4/", hypervisor="KVM"),
    StoragePool(
        id="pool",
        name="primary",
        zone_id="z",
        cluster_id="c",
        host_address="sim",
        path="/zone-1/pod-1/rack-1/primary",
    ),
    StoragePool(
        id="nas", name="nas", zone_id="z", scope="ZONE", host_address="nas", path="/x", capacity=5 * GIB
    ),
    ImageStore(id="store", name="secondary", url=STORE_URL, provider="NFS", zone_id="z"),
    TemplateOnStore(id="ts", template_id="t", store_id="store", zone_id="z", state="Ready", path="templates/t", size=GIB),
    TemplateOnPool(id="tp", template_id="t", pool_id="pool", state="Ready", path="template-t", size=GIB),
    Network(
        id="n", name="n", display_text="", zone_id="z", network_offering_id="o", account_id="a", domain_id="d",
        netmask="255.255.255.0", gateway="10.1.1.1", vlan="101",
    ),
    instance(1, "Running", "h1"),
    instance(2, "Stopping", "h2"),
    instance(3, "Starting", "h1"),
    instance(4, "Stopped", None),
    volume(1, vm="vm1"),
    volume(2, vm="vm2"),
    volume(3, vm="vm3"),
    volume(4, "Creating", vm="vm4"),
    VmSnapshot(
        id="vs", name="before", display_name="", vm_id="vm1", account_id="a", domain_id="d", zone_id="z",
        type="Disk", state="Ready",
    ),
    Nic(id="nic", vm_id="vm1", network_id="n", mac="02:00:00:00:00:01", ip="10.1.1.9"),
    Snapshot(
        id="s", name="s", volume_id="vol1", volume_type="ROOT", account_id="a", domain_id="d", zone_id="z",
        size=10 * GIB, state="BackedUp", store_id="store", path="snapshots/s", physical_size=GIB,
    ),
]  # fmt: skip


@pytest.fixture
def world() -> SimulatedWorld:
    store = Store(ROW_TYPES)
    store.load(ROWS)
    world = SimulatedWorld(uniform(hosts_per_rack=2))
    restore_world(world, store)
    return world


def test_hosts_have_their_guids_and_connect(world: SimulatedWorld) -> None:
    startups: list[Startup] = []

    def accept(link: Any) -> None:
        link.on_message = startups.append

    world.attach(accept)
    world.loop.run_until_complete(asyncio.sleep(5))
    seen = {s.guid: ([v.name for v in s.vms], s.facts.cpus, s.facts.private_ip) for s in startups}
    assert seen == {
        "guid-1": (["i-2-1-VM"], 8, "10.0.0.2"),
        "guid-2": (["i-2-2-VM"], 4, "10.9.0.7"),
    }
    assert world.host("guid-1").path == "zone-1/pod-1/rack-1/host-1"


def test_a_host_that_was_switched_off_stays_off_and_runs_nothing() -> None:
    off = OutOfBandManagement(
        id="oob", host_id="h1", driver="ipmitool", address="a", port=623, username="u", password="p", enabled=True,
        power_state="Off",
    )  # fmt: skip
    store = Store(ROW_TYPES)
    store.load([*ROWS, off])
    world = SimulatedWorld(uniform(hosts_per_rack=2))
    restore_world(world, store)
    powered = {guid: world.host(guid).hypervisor.powered for guid in ("guid-1", "guid-2")}
    assert powered == {"guid-1": False, "guid-2": True}
    assert world.host("guid-1").hypervisor.inventory() == ()


def test_instances_have_their_disks_and_nics(world: SimulatedWorld) -> None:
    machine = world.host("guid-1").hypervisor
    guest = machine.guests["i-2-1-VM"]
    assert [d.path for d in guest.disks] == ["vol1"]
    assert [(n.ip, n.vlan, n.gateway) for n in guest.nics] == [("10.1.1.9", "101", "10.1.1.1")]
    assert guest.started == -600.0 and machine.memory_used == 2048
    pool = world.pool("pool")
    assert set(pool.contents) == {"template-t", "vol1", "vol2", "vol3"}
    assert pool.contents["template-t"].clones == 3
    assert set(pool.contents["vol1"].snapshots) == {"vs"} and not pool.contents["vol2"].snapshots
    assert pool.contents["vol1"].user == f"i-2-1-VM@{machine.name}" and pool.contents["vol3"].user is None
    assert pool.used == sum(content.taken for content in pool.contents.values())
    assert set(machine.mounted) == {"pool", "nas"} and world.pool("nas").capacity == 5 * GIB


def test_secondary_storage_has_its_files_and_work_goes_on(world: SimulatedWorld) -> None:
    store = world.site.stores[STORE_URL]
    assert store.files == {"templates/t": GIB, "snapshots/s": GIB}
    machine = world.host("guid-2").hypervisor
    image = ImageSpec(STORE_URL, "templates/t", GIB)

    async def go_on() -> None:
        assert await machine.copy_template(image, "nas", "t") == ("template-t", GIB)
        await machine.stop_vm("i-2-2-VM", True)
        await machine.delete_volume("vol2", "pool", "vol2")
        with pytest.raises(HypervisorError, match="in use by i-2-1-VM"):
            await machine.delete_volume("vol1", "pool", "vol1")

    world.loop.run_until_complete(go_on())


def test_an_iso_is_in_its_drive_again() -> None:
    disc = Template(
        id="iso", name="iso", display_text="", account_id="a", domain_id="d", format="ISO", hypervisor="None",
        guest_os_id="", checksum="c",
    )  # fmt: skip
    copy = TemplateOnStore(
        id="is", template_id="iso", store_id="store", zone_id="z", state="Ready", path="templates/iso", size=GIB
    )
    store = Store(ROW_TYPES)
    store.load([replace(row, iso_id="iso") if row.id == "vm1" else row for row in [*ROWS, disc, copy]])
    world = SimulatedWorld(uniform(hosts_per_rack=2))
    restore_world(world, store)
    guests = world.host("guid-1").hypervisor.guests
    assert guests["i-2-1-VM"].spec.iso == ImageSpec(STORE_URL, "templates/iso", GIB, "ISO", "c")
    assert world.host("guid-2").hypervisor.guests["i-2-2-VM"].spec.iso is None


def test_the_work_of_guests_begins_again() -> None:
    class Heard:
        ends: dict[str, float] = {}

        def work_began(self, vm_id: str, tasks: Sequence[int], time: float) -> None:
            assert (vm_id, tuple(tasks), time) == ("vm1", (0, 1), 0.0)

        def task_finished(self, vm_id: str, task: int, time: float) -> None:
            self.ends[f"{vm_id} {task}"] = time

    store = Store(ROW_TYPES)
    given = user_data((5000, 1000))
    store.load([replace(row, user_data=given) if row.id in ("vm1", "vm4") else row for row in ROWS])
    world = SimulatedWorld(uniform(hosts_per_rack=2))
    world.hear_work(Heard())
    restore_world(world, store)
    world.loop.run_until_complete(asyncio.sleep(10))
    assert Heard.ends == {"vm1 1": 2.0, "vm1 0": 6.0}
