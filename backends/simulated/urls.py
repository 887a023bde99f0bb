"""The size of a host that is in its URL, as operators of CloudStack's simulator write it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import msgspec

from backends.simulated.datacenter import GIB, Hosts
from cloudsim.errors import InvalidParameterValue

_CLOUDSTACK_HOST = Hosts(cores=4, mhz=8000, memory_gib=8, local_disk_gib=1024)
"""What a URL says that names no size: the host of CloudStack's simulator."""


def size_in(url: str) -> Hosts:
    """The size that a URL's last segment says in pairs joined by `&`; memory and localstorage are bytes.

    Raises InvalidParameterValue for what is not a number, or no host.
    """
    segment = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    pairs = dict(p.split("=", 1) for p in segment.replace(",", "&").split("&") if "=" in p)
    given = {key.strip().lower(): value.strip() for key, value in pairs.items()}
    base = _CLOUDSTACK_HOST
    try:
        size = msgspec.structs.replace(
            base,
            mhz=int(given.get("cpuspeed", base.mhz)),
            cores=int(given.get("cpucore", base.cores)),
            memory_mib=int(given["memory"]) >> 20 if "memory" in given else base.memory,
            local_disk_gib=int(given["localstorage"]) / GIB if "localstorage" in given else base.local_disk_gib,
            arch=given.get("arch", base.arch),
        )
    except ValueError as error:
        raise InvalidParameterValue(f"{url!r}: {error}") from error
    if min(size.mhz, size.cores, size.memory) < 1 or size.local_disk_gib < 0:
        raise InvalidParameterValue(f"{url!r}: a host has at least 1 core, 1 MHz and 1 MiB of memory")
    return size
