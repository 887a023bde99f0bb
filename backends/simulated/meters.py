"""What the meters of a simulated host show of its instances: load, memory, and bytes since each of them started."""

from __future__ import annotations

import contextlib
import zlib

from backends.simulated.guest import Guest
from backends.simulated.site import Utilisation
from cloudsim.protocol.specs import DiskStatistics, VmStatistics

# What a fully busy guest does, on average, in a second. Chosen, not measured.
_BUSY_READ, _BUSY_WRITE, _BUSY_NETWORK = 2_000_000, 1_000_000, 4_000_000
_IO_SIZE = 16_384
_UNLIMITED = 1 << 62


def measured(guest: Guest, now: float, utilisation: Utilisation | None = None) -> VmStatistics:
    """Of a guest at simulated second `now`.

    Load is what `utilisation` says, where there is one; else that of the instance's work, where it was given any; else
    that in its detail `utilisation` (0 to 1); else a constant between 5 and 60 per cent that follows from its id. Counters
    are what its work so far, or else that constant load, would have done since the guest started.
    """
    spec = guest.spec
    constant = 0.05 + 0.55 * (zlib.crc32(spec.id.encode()) / 0xFFFFFFFF)
    with contextlib.suppress(KeyError, ValueError):
        constant = min(1.0, max(0.0, float(spec.details["utilisation"])))
    if guest.state != "running":
        load = 0.0
    elif utilisation is not None:
        load = utilisation(spec.id, now)
    else:
        load = constant if guest.work is None else guest.work.load
    work = constant * max(0.0, now - guest.started) if guest.work is None else guest.work.busy
    read, written, network = int(work * _BUSY_READ), int(work * _BUSY_WRITE), int(work * _BUSY_NETWORK)
    read, written = _within(guest, read, written, now)
    return VmStatistics(
        name=spec.name,
        cpu_percent=100.0 * load,
        memory_mib=int(spec.memory_mib * (0.3 + 0.5 * constant)),
        disk_read_bytes=read,
        disk_write_bytes=written,
        disk_read_ios=read // _IO_SIZE,
        disk_write_ios=written // _IO_SIZE,
        network_read_bytes=network,
        network_write_bytes=network // 2,
        disks=_by_disk(guest, read, written),
    )


def _within(guest: Guest, read: int, written: int, now: float) -> tuple[int, int]:
    """The bytes that the guest read and wrote since it started, no more than the limits of its root disk allow.

    The root disk is the one that a simulated guest works on.
    """
    limits = guest.disks[0].limits if guest.disks else None
    if limits is None:
        return read, written
    seconds = max(0.0, now - guest.started)
    both = _most(limits.total_ios * _IO_SIZE, 0, 0, seconds)
    read = min(
        read,
        both,
        _most(limits.read_bytes, limits.read_bytes_max, limits.read_bytes_max_length, seconds),
        _most(limits.read_ios * _IO_SIZE, limits.read_ios_max * _IO_SIZE, limits.read_ios_max_length, seconds),
    )
    written = min(
        written,
        both,
        _most(limits.write_bytes, limits.write_bytes_max, limits.write_bytes_max_length, seconds),
        _most(limits.write_ios * _IO_SIZE, limits.write_ios_max * _IO_SIZE, limits.write_ios_max_length, seconds),
    )
    return read, written


def _most(rate: int, burst: int, length: int, seconds: float) -> int:
    """What comes through a limit in that time: `burst` per second for `length` seconds, then `rate`. 0: no limit.

    QEMU's bucket holds burst * length, and leaks at the rate.
    """
    if not rate:
        return _UNLIMITED
    if not burst:
        return int(rate * seconds)
    return int(min(burst * seconds, burst * (length or 1) + rate * seconds))


def _by_disk(guest: Guest, read: int, written: int) -> tuple[DiskStatistics, ...]:
    """Of what the guest read and wrote, what it did with each disk: all with its root disk, which it works on."""
    idle = tuple(DiskStatistics(disk.device) for disk in guest.disks[1:])
    if not guest.disks:
        return ()
    root = DiskStatistics(guest.disks[0].device, read, written, read // _IO_SIZE, written // _IO_SIZE)
    return (root, *idle)
