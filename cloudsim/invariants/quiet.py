"""Invariants that hold once nothing is under way and every host that is up has reported."""

from __future__ import annotations

from collections.abc import Iterator

from cloudsim.invariants.scene import Invariant, Scene, Violation
from cloudsim.management.compute.vm_states import IN_MOTION
from cloudsim.management.storage.volume_states import AT_REST
from cloudsim.model import (
    AsyncJob,
    Backup,
    Host,
    Nic,
    Snapshot,
    StoragePool,
    TemplateOnPool,
    TemplateOnStore,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from cloudsim.model.operations import JOB_IN_PROGRESS

_SETTLED = {
    Snapshot: frozenset({"BackedUp", "Error"}),
    Backup: frozenset({"BackedUp"}),
    VmSnapshot: frozenset({"Ready", "Error"}),
    TemplateOnPool: frozenset({"Ready", "Unknown"}),
    TemplateOnStore: frozenset({"Ready", "Failed", "Allocated"}),
    Volume: AT_REST,
}


def nothing_is_in_motion(scene: Scene) -> Iterator[Violation]:
    """No job is in progress, and no row is in a state that only a job can end."""
    store = scene.store
    hosts = store.table(Host)
    for job in store.table(AsyncJob).where("status", JOB_IN_PROGRESS):
        yield Violation("nothing is in motion", f"job {job.command} on {job.instance_id}")
    for vm in store.table(VirtualMachine):
        if vm.state in IN_MOTION:
            yield Violation("nothing is in motion", f"{vm.instance_name} is {vm.state}")
        if vm.state == "Unknown" and (host := hosts.get(vm.host_id)) is not None and host.state == "Up":
            yield Violation(
                "nothing is in motion", f"{vm.instance_name} is Unknown on {host.name}, which is Up"
            )
    for row_type, settled in _SETTLED.items():
        for row in store.tables[row_type.__name__]:
            if row.state not in settled:
                yield Violation("nothing is in motion", f"{row_type.__name__} {row.id} is {row.state}")


def rows_say_what_runs(scene: Scene) -> Iterator[Violation]:
    """An instance is Running on a host that is Up if and only if it executes there."""
    if scene.inventory is None:
        return
    vms = scene.store.table(VirtualMachine)
    for host in scene.store.table(Host).where("state", "Up"):
        real = scene.inventory.instances.get(host.id)
        if real is None:
            continue
        believed = {vm.instance_name for vm in vms.where("host_id", host.id) if vm.state == "Running"}
        for name in sorted(believed - real):
            yield Violation("rows say what runs", f"{name} does not run on {host.name}")
        for name in sorted(real - believed):
            vm = vms.find("instance_name", name)
            state = "not known" if vm is None else vm.state
            yield Violation("rows say what runs", f"{name} runs on {host.name}, and is {state}")


def no_file_without_row(scene: Scene) -> Iterator[Violation]:
    """Every file on a pool is a volume's or a template's; nothing is left behind by what failed."""
    if scene.inventory is None:
        return
    known: dict[str, set[str]] = {}
    for volume in scene.store.table(Volume):
        if volume.pool_id is not None:
            # one whose making was never answered keeps its pool, and may lie there under its id
            known.setdefault(volume.pool_id, set()).add(volume.path or volume.id)
    for copy in scene.store.table(TemplateOnPool):
        known.setdefault(copy.pool_id, set()).add(copy.path)
    pools = scene.store.table(StoragePool)
    for pool_id, files in scene.inventory.files.items():
        for path in sorted(files - known.get(pool_id, set())):
            pool = pools.get(pool_id)
            yield Violation("no file without row", f"{path} on {pool.name if pool else pool_id} is nobody's")


def no_row_without_file(scene: Scene) -> Iterator[Violation]:
    """What rows say is on a pool is there."""
    if scene.inventory is None:
        return
    files = scene.inventory.files
    for volume in scene.store.table(Volume):
        if volume.state != "Ready" or volume.path is None or volume.pool_id is None:
            continue  # one whose removal was never answered may be gone
        if volume.path not in files.get(volume.pool_id, {volume.path}):
            yield Violation("no row without file", f"volume {volume.name} has no {volume.path}")
    for copy in scene.store.table(TemplateOnPool):
        if copy.state == "Ready" and copy.pool_id in files and copy.path not in files[copy.pool_id]:
            yield Violation("no row without file", f"template {copy.template_id} has no {copy.path}")


def security_groups_are_in_force(scene: Scene) -> Iterator[Violation]:
    """Before every instance that runs on a host that is Up stand the rules that its security groups have now."""
    if scene.inventory is None:
        return
    store, computed = scene.store, scene.server.security_rules
    hosts = store.table(Host)
    for nic in store.table(Nic):
        vm = store.table(VirtualMachine).get(nic.vm_id)
        if vm is None or vm.state != "Running" or nic.id not in scene.inventory.rules:
            continue
        host = hosts.get(vm.host_id)
        real, wanted = scene.inventory.rules[nic.id], computed.of(nic)
        if host is not None and host.state == "Up" and real != wanted:
            yield Violation(
                "security groups are in force", f"{nic.mac} of {vm.instance_name} has {real}, not {wanted}"
            )


WHEN_QUIET: tuple[Invariant, ...] = (
    nothing_is_in_motion,
    rows_say_what_runs,
    no_file_without_row,
    no_row_without_file,
    security_groups_are_in_force,
)
