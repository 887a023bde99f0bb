"""A copy of one disk of a running instance as it is at one moment, while the guest goes on writing to it."""

from __future__ import annotations

import asyncio
import time
import xml.etree.ElementTree as ElementTree
from contextlib import suppress
from pathlib import Path
from typing import Any

from backends.libvirt.connection import Connection
from backends.libvirt.qemu_img import copy_limit
from backends.libvirt.storage import target_of, targets
from cloudsim.hypervisor import HypervisorError

_FIRST_LOOK, _LATER_LOOKS = 0.05, 1.0
"""Seconds between questions to libvirt: the first, and what its doubling ends at."""


async def back_up(connection: Connection, vm: str, file: Path, target: Path) -> None:
    """Copy the disk of `vm` whose image is `file` into the new qcow2 image `target`.

    QEMU's backup job: what the guest overwrites is copied first, so that the copy is of the moment when the job began.
    Nothing of it stays in the instance. One at a time for an instance; a job that an earlier agent left is ended.
    """
    what = f"backing up {file.name} of {vm}"
    xml = await connection.domain_call(vm, what, lambda domain: str(domain.XMLDesc(0)))
    name = target_of(xml, file)
    if name is None:
        raise HypervisorError(f"{what}: it is not one of the instance's disks")
    order = _order(name, targets(xml), target)
    await _end(connection, vm, what)
    try:
        size = await connection.domain_call(vm, what, lambda domain: _begin(domain, order, name))
        async with asyncio.timeout(copy_limit(size)):
            await _finished(connection, vm, what)
    except TimeoutError:
        raise HypervisorError(f"{what}: it took longer than {copy_limit(size):g} s") from None
    finally:
        await asyncio.shield(_end(connection, vm, what))


def _order(name: str, disks: list[str], target: Path) -> str:
    """libvirt's domainbackup format: this disk, and none of the others."""
    order = ElementTree.Element("domainbackup", mode="push")
    listed = ElementTree.SubElement(order, "disks")
    for other in disks:
        disk = ElementTree.SubElement(listed, "disk", name=other, backup="yes" if other == name else "no")
        if other == name:
            disk.set("type", "file")
            ElementTree.SubElement(disk, "target", file=str(target))
            ElementTree.SubElement(disk, "driver", type="qcow2")
    return ElementTree.tostring(order, encoding="unicode")


def _begin(domain: Any, order: str, name: str) -> int:
    domain.backupBegin(order, None, 0)
    return int(domain.blockInfo(name)[0])


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
