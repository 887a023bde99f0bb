"""Live migration by QEMU: from libvirtd to libvirtd, while the agents at both ends look on.

See https://libvirt.org/migration.html ("managed peer to peer migration") and virDomainMigrateToURI3.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from backends.libvirt import live_domain
from backends.libvirt.arrivals import Arrivals
from backends.libvirt.connection import Connection
from backends.libvirt.domain_xml import disk_serial
from cloudsim.hypervisor import NO_FILES, HypervisorError, note_step

log = logging.getLogger(__name__)

REACH_WITHIN = 5.0
"""Seconds for a TCP connection to the other host's libvirtd. libvirt itself waits for minutes."""

LOOK_AGAIN = 0.5
"""Seconds between looks how far a migration is."""

STALLED_AFTER = 60.0
"""Seconds after which a migration is broken off that has sent nothing meanwhile."""

LONGEST = 6 * 3600.0
"""Seconds after which one is broken off that sends and sends, and does not come to an end."""

BROKEN_OFF_WITHIN = 90.0
"""Seconds that libvirt may take to break off: it finds a dead peer by keepalives, 5 of them, 5 s apart."""

PORTS = {"tcp": 16509, "tls": 16514, "ssh": 22}
"""Where libvirtd listens, by the transport in its URI."""


class Progress(Protocol):
    """Asked for the statistics of a migration, as libvirt's virDomainGetJobStats has them; None when it is
    over.
    """

    async def __call__(self) -> dict[str, Any] | None: ...


class Migration(Arrivals):
    """`migrate_vm` of `LibvirtHypervisor`. What the other end does is in `Arrivals`."""

    async def migrate_vm(
        self, name: str, destination: str, with_storage: bool, files: Mapping[str, str] = NO_FILES
    ) -> float:
        """As `Hypervisor.migrate_vm`.

        Disks on this host's own storage are copied, `with_storage`, into those that the destination has made
        for them; they have the same path there, or that in `files`, and no backing file any more. So are all disks
        in `files`. Without it, an instance with such disks stays. The old disks are left.
        """
        what = f"migrating {name} to {destination}"
        began = time.monotonic()
        xml, state = await self.connection.domain_call(
            name, what, lambda domain: (str(domain.XMLDesc(0)), int(domain.state()[0]))
        )
        local, elsewhere = self._local_disks(xml), _elsewhere(xml, files)
        if set(files) - set(elsewhere):
            raise HypervisorError(f"{what}: it has no disk of volume {', '.join(sorted(set(files) - set(elsewhere)))}")
        if local and not with_storage:
            raise HypervisorError(
                f"{what}: its disks {', '.join(local)} are on storage that only this host has"
            )
        if destination == self.settings.private_ip:
            raise HypervisorError(f"{what}: it is on this host already")
        uri = self.settings.migration_uri.format(address=_in_uri(destination))
        await _reach(uri, what)
        copied = sorted({*local, *elsewhere.values()})
        moved_to = {elsewhere[volume]: file for volume, file in files.items()}
        expected = await self._move(name, uri, what, copied, moved_to, paused=state == _PAUSED)
        downtime = await self._downtime(name, uri)
        await self._left(name)
        note_step("migration_setup", time.monotonic() - began)
        return expected if downtime is None else downtime

    def _local_disks(self, xml: str) -> list[str]:
        """The targets (vda) of the disks that other hosts do not see."""
        local = []
        for disk in live_domain.disks(xml):
            pool_id = self.pools.pool_of(Path(disk.path))
            if pool_id is None or self.pools.is_local(pool_id):
                local.append(disk.target)
        return local

    async def _move(
        self, name: str, uri: str, what: str, copied: list[str], files: Mapping[str, str], paused: bool
    ) -> float:
        """Returns the downtime, in seconds, that was last expected."""
        moving = asyncio.get_running_loop().create_task(
            self.connection.domain_call(
                name, what, lambda domain: _migrate(domain, uri, copied, files), LONGEST + 2 * BROKEN_OFF_WITHIN
            )
        )

        async def progress() -> dict[str, Any] | None:
            try:
                return await self.connection.domain_call(name, what, lambda domain: dict(domain.jobStats()))
            except HypervisorError:
                return None  # it has just gone, or libvirt is busy with it

        async def abort() -> None:
            await self.connection.domain_call(name, what, lambda domain: domain.abortJob())

        try:
            return await oversee(moving, progress, abort, what)
        except HypervisorError as error:
            if await self._went(name, uri):
                log.warning("%s, and yet it is there now", error)
                return 0.0
            await self._go_on_here(name, what, paused)
            raise
        finally:
            if not moving.done():
                moving.cancel()

    async def _went(self, name: str, uri: str) -> bool:
        """Whether the instance is at the other end and not here, whatever libvirt says of the migration."""
        try:
            if await self.connection.find(name) is not None:
                return False
            there = Connection(uri, REACH_WITHIN)
            try:
                return await there.find(name) is not None
            finally:
                await there.close()
        except HypervisorError:
            return False

    async def _go_on_here(self, name: str, what: str, paused: bool) -> None:
        """libvirt lets the guest go on by itself when a migration has failed; if ever it did not, this
        does.
        """

        def go_on(domain: Any) -> None:
            import libvirt

            state, reason = domain.state()
            if state == _PAUSED and reason in (
                libvirt.VIR_DOMAIN_PAUSED_MIGRATION,
                libvirt.VIR_DOMAIN_PAUSED_UNKNOWN,
            ):
                domain.resume()

        if not paused:
            with suppress(HypervisorError):
                await self.connection.domain_call(name, what, go_on)

    async def _downtime(self, name: str, uri: str) -> float | None:
        """What the other end measured, in seconds: the domain here took its statistics with it. None: not
        known.
        """

        def ask(domain: Any) -> float | None:
            import libvirt

            stats = domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
            milliseconds = stats.get("downtime")
            return None if milliseconds is None else milliseconds / 1000

        there = Connection(uri, REACH_WITHIN)
        try:
            return await there.domain_call(name, f"asking for the downtime of {name}", ask)
        except HypervisorError as error:
            log.info("%s", error)
            return None
        finally:
            await there.close()

    async def _left(self, name: str) -> None:
        """It runs elsewhere. What of it cannot be cleared up here is no reason to say that it does not."""
        try:
            await self._forget(name)
        except Exception:
            log.exception("clearing up after %s, which has migrated", name)
            self.kept.remove(name)


_PAUSED = 3
"""libvirt.VIR_DOMAIN_PAUSED"""


async def oversee(
    moving: asyncio.Task[None], progress: Progress, abort: Any, what: str, look_again: float = LOOK_AGAIN
) -> float:
    """Wait for a migration, and break it off if it stalls; returns the downtime (s) that was last expected.

    Raises HypervisorError: libvirt's, or one that says why it was broken off.
    """
    loop = asyncio.get_running_loop()
    began = moved = loop.time()
    sent, expected = -1, 0.0
    reason = ""
    while not moving.done():
        await asyncio.wait([moving], timeout=look_again)
        if moving.done():
            break
        stats = await progress()
        now = loop.time()
        if stats is not None:
            expected = stats.get("downtime", 0) / 1000 or expected
            processed = stats.get("data_processed", 0) + stats.get("disk_processed", 0)
            if processed != sent:
                sent, moved = processed, now
        if now - moved > STALLED_AFTER:
            reason = f"nothing was sent for {STALLED_AFTER:g} s"
        elif now - began > LONGEST:
            reason = f"it had not ended after {LONGEST:g} s"
        if reason:
            with suppress(HypervisorError):
                await abort()
            await asyncio.wait([moving], timeout=BROKEN_OFF_WITHIN)
            break
    if not moving.done():
        raise HypervisorError(f"{what}: {reason}, and libvirt does not break it off")
    try:
        moving.result()
    except HypervisorError as error:
        if reason:
            raise HypervisorError(f"{what}: {reason}, so it was broken off") from error
        raise
    return expected


def _elsewhere(xml: str, files: Mapping[str, str]) -> dict[str, str]:
    """Volume id -> target of the disks that are to be in other files."""
    by_serial = {live.serial: live.target for live in live_domain.disks(xml) if live.serial}
    return {volume: by_serial[s] for volume in files if (s := disk_serial(volume)) in by_serial}


def relocated(xml: str, files: Mapping[str, str]) -> str:
    """The domain's XML with the disks of these targets in other files, which stand alone."""
    domain = ET.fromstring(xml)
    for disk in domain.iterfind("./devices/disk"):
        target = disk.find("target")
        file = files.get(target.get("dev", "")) if target is not None else None
        if file is not None:
            for element in [*disk.findall("source"), *disk.findall("backingStore")]:
                disk.remove(element)
            disk.append(ET.Element("source", file=file))
    return ET.tostring(domain, encoding="unicode")


def _migrate(domain: Any, uri: str, copied: list[str], files: Mapping[str, str]) -> None:
    """Blocks until it is through. `copied` and the keys of `files` are targets (vda).

    UNSAFE: libvirt does not believe that a plain folder is shared between hosts, and that it is the pool's
    type says.
    """
    import libvirt

    flags = (
        libvirt.VIR_MIGRATE_LIVE
        | libvirt.VIR_MIGRATE_PEER2PEER
        | libvirt.VIR_MIGRATE_ABORT_ON_ERROR
        | libvirt.VIR_MIGRATE_AUTO_CONVERGE
        | libvirt.VIR_MIGRATE_UNSAFE
    )
    parameters: dict[str, Any] = {}
    if copied:
        flags |= libvirt.VIR_MIGRATE_NON_SHARED_DISK
        parameters[libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = copied
    if files:
        xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE | libvirt.VIR_DOMAIN_XML_SECURE)
        parameters[libvirt.VIR_MIGRATE_PARAM_DEST_XML] = relocated(xml, files)
    domain.migrateToURI3(uri, parameters, flags)


def _in_uri(address: str) -> str:
    return f"[{address}]" if ":" in address else address


async def _reach(uri: str, what: str) -> None:
    """Raises HypervisorError if nothing listens there."""
    parts = urlsplit(uri)
    port = parts.port or PORTS.get(parts.scheme.partition("+")[2] or "tls")
    if port is None or not parts.hostname:
        return
    try:
        async with asyncio.timeout(REACH_WITHIN):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError) as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise HypervisorError(f"{what}: no libvirtd at {parts.hostname} port {port}: {reason}") from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
