"""Invariants that hold between any two transactions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from cloudsim.invariants.scene import Invariant, Scene, Violation
from cloudsim.management.network.public_ips import range_of_ip
from cloudsim.model import (
    AsyncJob,
    Backup,
    BackupSchedule,
    Host,
    Network,
    Nic,
    PublicIp,
    Snapshot,
    StoragePool,
    TemplateOnPool,
    VirtualMachine,
    VmSnapshot,
    Volume,
    Vpc,
)
from cloudsim.model.operations import JOB_IN_PROGRESS

LONGEST_JOB_WAITS = 20.0
"""How many times the setting `wait` a job may take: it is a few commands, and may wait for others of its instance."""

PLACED = frozenset({"Starting", "Running", "Stopping", "Migrating", "Unknown"})
"""States of an instance that is, or may be, on a host."""


def one_host_each(scene: Scene) -> Iterator[Violation]:
    """No instance executes on two hosts."""
    if scene.inventory is None:
        return
    where: dict[str, list[str]] = defaultdict(list)
    for host_id, names in scene.inventory.instances.items():
        for name in names:
            where[name].append(host_id)
    hosts = scene.store.table(Host)
    for name, ids in where.items():
        if len(ids) > 1:
            shown = ", ".join(host.name if (host := hosts.get(i)) else i for i in ids)
            yield Violation("one host each", f"{name} runs on {shown}")


def states_say_where(scene: Scene) -> Iterator[Violation]:
    """An instance has a host if and only if its state says so, and a second one only while it moves."""
    for vm in scene.store.table(VirtualMachine):
        name = f"{vm.instance_name} ({vm.state})"
        if (vm.host_id is not None) != (vm.state in PLACED):
            yield Violation("states say where", f"{name} has host {vm.host_id}")
        if vm.migrating_to is not None and vm.state not in ("Migrating", "Unknown", "Stopping"):
            yield Violation("states say where", f"{name} is still on its way to {vm.migrating_to}")
        if vm.gpu_devices and vm.host_id is None:
            yield Violation("states say where", f"{name} keeps GPUs {vm.gpu_devices} of no host")


def capacity_is_what_rows_say(scene: Scene) -> Iterator[Violation]:
    """What the planner counts as used is the sum over the instances on each host, GPUs included."""
    capacity = scene.server.capacity
    cpu: Counter[str] = Counter()
    memory: Counter[str] = Counter()
    count: Counter[str] = Counter()
    gpus: Counter[tuple[str, int]] = Counter()
    for vm in scene.store.table(VirtualMachine):
        for host_id in (vm.host_id, vm.migrating_to):
            if host_id is not None:
                cpu[host_id] += vm.cpus * vm.cpu_mhz
                memory[host_id] += vm.memory_mib
                count[host_id] += 1
        if vm.host_id is not None:
            for device in vm.gpu_devices:
                gpus[vm.host_id, device] += vm.gpu_milli
    for host in scene.store.table(Host):
        slot = capacity.slot[host.id]
        used = (int(capacity.cpu_used[slot]), int(capacity.memory_used[slot]), int(capacity.instances[slot]))
        wanted = (cpu[host.id], memory[host.id], count[host.id])
        if used != wanted:
            yield Violation("capacity is what rows say", f"{host.name} counts {used} for {wanted}")
        if capacity.enabled[slot]:
            room = (int(capacity.cpu_room[slot]), int(capacity.memory_room[slot]))
            left = (int(capacity.cpu_total[slot]) - used[0], int(capacity.memory_total[slot]) - used[1])
            if room != left:
                yield Violation("capacity is what rows say", f"{host.name} offers {room} of {left}")
        for device in range(host.gpus):
            taken = 1000 - int(capacity.gpu_free[slot, device])
            if taken != gpus[host.id, device]:
                text = f"GPU {device} of {host.name} counts {taken} for {gpus[host.id, device]}"
                yield Violation("capacity is what rows say", text)


def nothing_is_promised_twice(scene: Scene) -> Iterator[Violation]:
    """No host has promised more than it has, over-commit included."""
    capacity = scene.server.capacity
    for host in scene.store.table(Host):
        slot = capacity.slot[host.id]
        for what, used, total in (
            ("MHz", capacity.cpu_used[slot], capacity.cpu_total[slot]),
            ("MiB", capacity.memory_used[slot], capacity.memory_total[slot]),
        ):
            if used > total:
                yield Violation("nothing is promised twice", f"{host.name}: {used} of {total} {what}")
        if host.gpus and (capacity.gpu_free[slot, : host.gpus] < 0).any():
            yield Violation("nothing is promised twice", f"{host.name}: a GPU")


def promised_space_is_what_rows_say(scene: Scene) -> Iterator[Violation]:
    """A pool's promised bytes are the sum of its volumes' sizes."""
    wanted: Counter[str] = Counter()
    for volume in scene.store.table(Volume):
        if volume.pool_id is not None:
            wanted[volume.pool_id] += volume.size
    promised = scene.server.disks.room.promised
    for pool_id in {*wanted, *promised}:
        if promised.get(pool_id, 0) != wanted[pool_id]:
            text = (
                f"pool {pool_id} has promised {promised.get(pool_id, 0)}, its volumes are {wanted[pool_id]}"
            )
            yield Violation("promised space is what rows say", text)


def given_once(scene: Scene) -> Iterator[Violation]:
    """No address of a network, MAC, instance name, or slot of an instance is given twice."""
    store = scene.store
    nics, vms, volumes = store.table(Nic), store.table(VirtualMachine), store.table(Volume)
    networks = store.table(Network)
    yield from _twice("MAC", (nic.mac for nic in nics))
    yield from _twice("instance name", (vm.instance_name for vm in vms))
    ips: list[tuple[str, str]] = []
    for nic in nics:
        own = [] if nic.ip is None else [nic.ip]
        ips += [(nic.network_id, ip) for ip in (*own, *(ip for _, ip in nic.secondary_ips))]
        network, vm = networks.get(nic.network_id), vms.get(nic.vm_id)
        if vm is not None and vm.type != "User":
            continue  # a router has the gateway's
        if network is not None and nic.ip is not None and nic.ip == network.gateway:
            yield Violation("given once", f"{nic.ip} of network {network.name} is its gateway's")
    yield from _twice("address", ips)
    yield from _twice("NIC slot", ((nic.vm_id, nic.device_id) for nic in nics))
    yield from _twice("disk slot", ((v.vm_id, v.device_id) for v in volumes if v.vm_id is not None))


def _twice(what: str, keys: Iterable[object]) -> Iterator[Violation]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield Violation("given once", f"{what} {key} is given {count} times")


def rows_have_owners(scene: Scene) -> Iterator[Violation]:
    """What belongs to something that exists no more exists no more: NICs, disks, reservations, snapshots."""
    store = scene.store
    vms, hosts, pools = store.table(VirtualMachine), store.table(Host), store.table(StoragePool)
    networks = store.table(Network)
    for nic in store.table(Nic):
        if nic.vm_id not in vms or nic.network_id not in networks:
            yield Violation("rows have owners", f"NIC {nic.mac} of instance {nic.vm_id} on {nic.network_id}")
    for volume in store.table(Volume):
        if volume.vm_id is not None and volume.vm_id not in vms:
            yield Violation("rows have owners", f"volume {volume.name} of instance {volume.vm_id}")
        if volume.pool_id is not None and volume.pool_id not in pools:
            yield Violation("rows have owners", f"volume {volume.name} on pool {volume.pool_id}")
    for vm in vms:
        for host_id in (vm.host_id, vm.migrating_to):
            if host_id is not None and host_id not in hosts:
                yield Violation("rows have owners", f"{vm.instance_name} on host {host_id}")
    for snapshot in store.table(VmSnapshot):
        if snapshot.vm_id not in vms:
            yield Violation("rows have owners", f"VM snapshot {snapshot.name} of instance {snapshot.vm_id}")
    for schedule in store.table(BackupSchedule):
        if schedule.vm_id not in vms:
            yield Violation("rows have owners", f"backup schedule {schedule.id} of instance {schedule.vm_id}")
    for copy in store.table(TemplateOnPool):
        if copy.pool_id not in pools:
            yield Violation("rows have owners", f"template {copy.template_id} on pool {copy.pool_id}")


def public_addresses_are_where_their_networks_are(scene: Scene) -> Iterator[Violation]:
    """Each public address is of a range that there is, and in the zone of its network or VPC; portable ones too."""
    store = scene.store
    for ip in store.table(PublicIp):
        if range_of_ip(store, ip) is None:
            yield Violation("public addresses are where their networks are", f"{ip.ip} is of no range")
        network, vpc = store.table(Network).get(ip.network_id), store.table(Vpc).get(ip.vpc_id)
        for place_id, place in ((ip.network_id, network), (ip.vpc_id, vpc)):
            if place_id is not None and (place is None or place.zone_id != ip.zone_id):
                text = f"{ip.ip} of zone {ip.zone_id} is for {place_id}"
                yield Violation("public addresses are where their networks are", text)


def states_have_what_they_need(scene: Scene) -> Iterator[Violation]:
    """A Ready volume has a place, a BackedUp snapshot a file, an instance that runs its disks."""
    for volume in scene.store.table(Volume):
        if volume.state == "Ready" and (volume.pool_id is None or volume.path is None):
            yield Violation("states have what they need", f"volume {volume.name} is Ready nowhere")
        if volume.state in ("Allocated", "Creating") and volume.path is not None:
            text = f"volume {volume.name} is {volume.state} at {volume.path}"
            yield Violation("states have what they need", text)
    for snapshot in scene.store.table(Snapshot):
        if snapshot.state == "BackedUp" and not (snapshot.path and snapshot.store_id):
            yield Violation("states have what they need", f"snapshot {snapshot.name} is BackedUp nowhere")
    for backup in scene.store.table(Backup):
        if backup.state == "BackedUp" and not (backup.volumes and all(each.path for each in backup.volumes)):
            yield Violation("states have what they need", f"backup {backup.name} is BackedUp nowhere")
    for vm in scene.store.table(VirtualMachine).where("state", "Running"):
        for volume in scene.store.table(Volume).where("vm_id", vm.id):
            if volume.path is None:
                text = f"{vm.instance_name} runs, its disk {volume.name} is {volume.state}"
                yield Violation("states have what they need", text)


def every_job_ends(scene: Scene) -> Iterator[Violation]:
    """No job is in progress for longer than its commands and those before it can take."""
    server = scene.server
    bound = LONGEST_JOB_WAITS * server.settings.number("wait")
    now = server.foundation.now()
    for job in scene.store.table(AsyncJob).where("status", JOB_IN_PROGRESS):
        if now - job.created > bound:
            text = f"{job.command} on {job.instance_id} is in progress for {now - job.created:.0f} s"
            yield Violation("every job ends", text)


ALWAYS: tuple[Invariant, ...] = (
    one_host_each,
    states_say_where,
    capacity_is_what_rows_say,
    nothing_is_promised_twice,
    promised_space_is_what_rows_say,
    given_once,
    rows_have_owners,
    public_addresses_are_where_their_networks_are,
    states_have_what_they_need,
    every_job_ends,
)
