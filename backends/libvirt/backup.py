"""A copy of disks of a running instance as they are at one moment, while the guest goes on writing to them."""

from __future__ import annotations

import asyncio
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from backends.libvirt.connection import Connection
from backends.libvirt.qemu_img import copy_limit
from backends.libvirt.storage import target_of, targets
from cloudsim.hypervisor import HypervisorError

_FIRST_LOOK, _LATER_LOOKS = 0.05, 1.0
"""Seconds between questions to libvirt: the first, and what its doubling ends at."""


async def back_up(
    connection: Connection, vm: str, copies: Mapping[Path, Path], *, quiesce: bool = False
) -> None:
    """Copy disks of `vm`, by the files of their images, into the new qcow2 images that `copies` has for them.

    QEMU's backup job: what the guest overwrites is copied first, so that the copies are of the moment when the job began.
    Nothing of it stays in the instance. One at a time for an instance; a job that an earlier agent left is ended.
    With `quiesce` the guest's agent brings its file systems to rest for that moment.
    """
    what = f"backing up {', '.join(file.name for file in copies)} of {vm}"
    xml = await connection.domain_call(vm, what, lambda domain: str(domain.XMLDesc(0)))
    to: dict[str, Path] = {}
    for file, target in copies.items():
        name = target_of(xml, file)
        if name is None:
            raise HypervisorError(f"{what}: {file.name} is not one of the instance's disks")
        to[name] = target
    order = _order(targets(xml), to)
    await _end(connection, vm, what)
    try:
        async with _at_rest(connection, vm, quiesce):
            size = await connection.domain_call(vm, what, lambda domain: _begin(domain, order, to))
        async with asyncio.timeout(copy_limit(size)):
            await _finished(connection, vm, what)
    except TimeoutError:
        raise HypervisorError(f"{what}: it took longer than {copy_limit(size):g} s") from None
    finally:
        await asyncio.shield(_end(connection, vm, what))


@asynccontextmanager
async def _at_rest(connection: Connection, vm: str, quiesce: bool) -> AsyncIterator[None]:
    """Have the guest hold its writes back as long as the block lasts."""
    if not quiesce:
        yield
        return
    try:
        await connection.domain_call(vm, f"bringing the file systems of {vm} to rest", lambda d: d.fsFreeze())
        yield
    finally:

        async def thaw() -> None:
            with suppress(HypervisorError):  # they were never frozen, or the instance ended
                await connection.domain_call(vm, f"letting {vm} write again", lambda d: d.fsThaw())

        await asyncio.shield(thaw())


def _order(disks: list[str], to: Mapping[str, Path]) -> str:
    """libvirt's domainbackup format: these disks, and none of the others."""
    order = ElementTree.Element("domainbackup", mode="push")
    listed = ElementTree.SubElement(order, "disks")
    for name in disks:
        disk = ElementTree.SubElement(listed, "disk", name=name, backup="yes" if name in to else "no")
        if name in to:
            disk.set("type", "file")
            ElementTree.SubElement(disk, "target", file=str(to[name]))
            ElementTree.SubElement(disk, "driver", type="qcow2")
    return ElementTree.tostring(order, encoding="unicode")


def _begin(domain: Any, order: str, names: Iterable[str]) -> int:
    domain.backupBegin(order, None, 0)
    return sum(int(domain.blockInfo(name)[0]) for name in names)


async def _finished(connection: Connection, vm: str, what: str) -> None:
    import libvirt

    wait = _FIRST_LOOK
    while await connection.domain_call(vm, what, _backing_up):
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LATER_LOOKS)
    ended = await connection.domain_call(
        vm, what, lambda domain: domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
    )
    if ended.get("type") != libvirt.VIR_DOMAIN_JOB_COMPLETED or not ended.get("success", True):
        raise HypervisorError(f"{what}: {ended.get('errmsg') or 'it was broken off'}")


def _backing_up(domain: Any) -> bool:
    import libvirt

    stats = domain.jobStats(0)
    running = stats.get("type", libvirt.VIR_DOMAIN_JOB_NONE) != libvirt.VIR_DOMAIN_JOB_NONE
    return bool(running and stats.get("operation") == libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP)


async def _end(connection: Connection, vm: str, what: str) -> None:
    """Break off a backup that is running, and wait until it has ended."""

    def end(domain: Any) -> None:
        while _backing_up(domain):
            domain.abortJob()
            time.sleep(_FIRST_LOOK)

    with suppress(HypervisorError):  # the instance, or its job, ended by itself
        await connection.domain_call(vm, what, end)
