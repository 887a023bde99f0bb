"""A simulated datacenter made anew from a manager's store, so that it outlives the process.

A real datacenter goes on when its manager dies. A simulated one lives in the same process, so after a
restart it is rebuilt as the manager last knew it: hosts that were not removed, under their guids and with
power, but for those that were switched off; pools mounted; templates, volumes and snapshots on them; and the
instances that are Running, or were Stopping or Migrating, on the hosts that they were on. What was only being
started or made is not there, as after a crash of the host, and the work of guests begins again. For time to go on
where it stopped, give the world an `epoch` that is later than any time in the store.
"""

from __future__ import annotations

import logging
from typing import Literal

from backends.simulated.datacenter import GIB, Hosts
from backends.simulated.guest import Guest
from backends.simulated.machine import HYPERVISOR
from backends.simulated.simulated_host import SimulatedHost
from backends.simulated.storage import Content, Pool
from backends.simulated.world import SimulatedWorld
from cloudsim.hypervisor import HypervisorError
from cloudsim.management.systemvm.roles import system_spec
from cloudsim.model import (
    Host,
    ImageStore,
    Network,
    Nic,
    OutOfBandManagement,
    Snapshot,
    StoragePool,
    Template,
    TemplateOnPool,
    TemplateOnStore,
    Transfer,
    VirtualMachine,
    VmSnapshot,
    Volume,
    VolumeOnStore,
)
from cloudsim.protocol.specs import DiskSpec, ImageSpec, NicSpec, PoolSpec, VmSpec
from cloudsim.store import Store
from cloudsim.world import HostDiscovery

log = logging.getLogger(__name__)

_ALIVE = ("Running", "Stopping", "Migrating")
_NO_FILE = frozenset(
    {
        "Allocated",
        "Creating",
        "Expunged",
        "UploadOp",
        "NotUploaded",
        "UploadInProgress",
        "Uploaded",
        "UploadError",
        "UploadAbandoned",
    }
)


def restore_world(world: SimulatedWorld, store: Store) -> None:
    """Make `world`, fresh, what `store` says, and start the agents of its hosts."""
    hosts = {row.id: _host(world, row) for row in store.table(Host) if _ours(row)}
    described = {plan.path for plan in world.layout.pools()}
    for pool in store.table(StoragePool):
        if pool.state != "Removed":
            _pool(world, store, pool, hosts, described)
    _stores(world, store)
    _contents(world, store)
    for state in _ALIVE:
        for vm in store.table(VirtualMachine).where("state", state):
            if vm.host_id in hosts:
                _guest(world, store, vm, hosts[vm.host_id])
    for row in store.table(OutOfBandManagement).where("enabled", True):
        if row.power_state == "Off" and row.host_id in hosts:
            world.power.switch_off(hosts[row.host_id])
    for host in hosts.values():
        world.start_agent(host)


def _ours(row: Host) -> bool:
    return row.hypervisor == HYPERVISOR and row.state not in ("Removed", "Creating")


def _host(world: SimulatedWorld, row: Host) -> SimulatedHost:
    known = world.hosts.get(row.guid) or world.described(row.url)
    if known is not None:
        world.adopt(known, row.guid)
        return known
    group = Hosts(
        cores=row.cpus,
        mhz=row.cpu_mhz,
        sockets=row.sockets,
        memory_mib=row.memory_mib,
        local_disk_gib=row.local_storage / GIB,
        gpus=row.gpus,
        gpu_model=row.gpu_model,
        arch=row.arch,
    )
    wanted = HostDiscovery(
        url=row.url, zone_id=row.zone_id, pod_id=row.pod_id, cluster_id=row.cluster_id
    )
    return world.add_host(wanted, row.guid, row.name, row.private_ip, group)


def _pool(
    world: SimulatedWorld,
    store: Store,
    row: StoragePool,
    hosts: dict[str, SimulatedHost],
    described: set[str],
) -> None:
    """Mount it on every host of its scope. `described` are the paths of the pools that have their size from the world."""
    spec = PoolSpec(row.id, row.type, row.host_address, row.path, row.port)
    index, key = {
        "HOST": ("id", row.host_id),
        "CLUSTER": ("cluster_id", row.cluster_id),
        "ZONE": ("zone_id", row.zone_id),
    }[row.scope]
    for host_id in [key] if index == "id" else store.table(Host).ids(index, key):
        host = hosts.get(host_id or "")
        if host is None:
            continue
        try:
            pool = world.site.mount(spec, host.hypervisor)
        except HypervisorError as error:
            log.warning("cannot restore pool %s: %s", row.name, error)
            return
        if row.capacity and pool.name not in described:
            pool.capacity = row.capacity
        host.hypervisor.mounted[row.id] = pool


def _stores(world: SimulatedWorld, store: Store) -> None:
    places = {row.zone_id: world.host(row.guid).hypervisor.place for row in store.table(Host) if _ours(row)}
    any_place = next(iter(places.values()), world.site.manager)
    for row in store.table(ImageStore):
        images = world.site.store(row.url, places.get(row.zone_id or "", any_place))
        for template in store.table(TemplateOnStore).where("store_id", row.id):
            if template.state == "Ready" and template.path:
                images.add(template.path, template.size)
        for uploaded in store.table(VolumeOnStore).where("store_id", row.id):
            if uploaded.path:
                images.add(uploaded.path, uploaded.physical_size)
        for transfer in store.table(Transfer).where("state", "Published"):
            if transfer.store_id == row.id and transfer.object_type == "Volume" and transfer.kind == "Extract":
                images.add(transfer.path, transfer.size)
        for snapshot in store.table(Snapshot):
            if snapshot.store_id == row.id and snapshot.state == "BackedUp" and snapshot.path:
                images.add(snapshot.path, snapshot.physical_size)


def _contents(world: SimulatedWorld, store: Store) -> None:
    pools = world.site.pool_ids
    templates: dict[tuple[str, str], str] = {}
    for copy in store.table(TemplateOnPool):
        if copy.state == "Ready" and copy.pool_id in pools:
            _put(pools[copy.pool_id], copy.path, Content(copy.size, copy.size))
            templates[copy.template_id, copy.pool_id] = copy.path
    for volume in store.table(Volume):
        if volume.state in _NO_FILE or not volume.path or volume.pool_id not in pools:
            continue
        pool = pools[volume.pool_id]
        parent = templates.get((volume.template_id or "", volume.pool_id))
        content = Content(volume.size, pool.written(volume.size), parent)
        _put(pool, volume.path, content)
        if volume.vm_id is not None:
            for snapshot in store.table(VmSnapshot).where("vm_id", volume.vm_id):
                if snapshot.state == "Ready":
                    content.snapshots[snapshot.id] = 0


def _put(pool: Pool, path: str, content: Content) -> None:
    try:
        pool.add(path, content)
    except HypervisorError as error:
        log.warning("cannot restore %s: %s", path, error)


def _guest(world: SimulatedWorld, store: Store, vm: VirtualMachine, host: SimulatedHost) -> None:
    machine = host.hypervisor
    started = vm.updated - world.epoch if vm.updated else world.loop.time()
    guest = Guest(_spec(store, vm), "running", min(started, world.loop.time()))
    try:
        for disk in guest.disks:
            machine.hold(disk, vm.instance_name)
    except HypervisorError as error:
        log.warning("cannot restore instance %s: %s", vm.instance_name, error)
        return
    machine.admit(guest)
    machine.begin_work(guest)


def _spec(store: Store, vm: VirtualMachine) -> VmSpec:
    disks = sorted(
        (
            DiskSpec(v.id, v.pool_id, v.path, v.size, v.type, v.device_id or 0)
            for v in store.table(Volume).where("vm_id", vm.id)
            if v.pool_id and v.path and v.state not in _NO_FILE
        ),
        key=lambda disk: disk.device,
    )
    nics = sorted((_nic(store, n) for n in store.table(Nic).where("vm_id", vm.id)), key=lambda nic: nic.device)
    return VmSpec(
        name=vm.instance_name,
        id=vm.id,
        cpus=vm.cpus,
        cpu_mhz=vm.cpu_mhz,
        memory_mib=vm.memory_mib,
        disks=tuple(disks),
        nics=tuple(nics),
        gpu_devices=vm.gpu_devices,
        gpu_milli=vm.gpu_milli,
        hostname=vm.name,
        user_data=vm.user_data,
        iso=_iso(store, vm),
        details=vm.details,
        system=system_spec(store, vm.id),
    )


def _iso(store: Store, vm: VirtualMachine) -> ImageSpec | None:
    iso, stores = store.table(Template).get(vm.iso_id), store.table(ImageStore)
    if iso is not None:
        for copy in store.table(TemplateOnStore).where("template_id", iso.id):
            if copy.state == "Ready" and copy.zone_id == vm.zone_id and copy.store_id in stores:
                size = copy.size or iso.size
                return ImageSpec(stores[copy.store_id].url, copy.path, size, iso.format, iso.checksum)
    return None


def _nic(store: Store, nic: Nic) -> NicSpec:
    network = store.table(Network)[nic.network_id]
    traffic: Literal["Guest", "Public", "Management"] = "Guest"
    if network.traffic_type in ("Public", "Management"):
        traffic = "Public" if network.traffic_type == "Public" else "Management"
    return NicSpec(
        nic.id,
        nic.mac,
        nic.network_id,
        nic.device_id,
        nic.ip,
        network.netmask,
        network.gateway,
        network.vlan,
        traffic=traffic,
    )
