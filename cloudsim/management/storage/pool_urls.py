"""The URLs by which operators name primary storage: nfs://server/export, rbd://user:secret@monitor/pool, ..."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from cloudsim.errors import InvalidParameterValue


class PoolAddress(NamedTuple):
    """Where a pool is. `path` of an RBD pool is the pool's name, without a leading slash."""

    type: str
    host: str
    path: str
    port: int
    user: str = ""
    secret: str = ""


_KINDS = {
    "nfs": ("NetworkFilesystem", 2049),
    "networkfilesystem": ("NetworkFilesystem", 2049),
    "rbd": ("RBD", 6789),
    "sharedmountpoint": ("SharedMountPoint", 0),
    "presetup": ("PreSetup", 0),
    "filesystem": ("Filesystem", 0),
    "file": ("Filesystem", 0),
    "gluster": ("Gluster", 24007),
    "iscsi": ("IscsiLUN", 3260),
    "clvm": ("CLVM", 0),
    "vmfs": ("VMFS", 0),
}
"""URL scheme -> pool type as the API shows it, and the port used when the URL has none."""
_LOCAL = {"SharedMountPoint", "Filesystem", "PreSetup", "CLVM"}
"""Types that every host finds in its own file system, so that no server need be named."""


def parse_pool_url(url: str) -> PoolAddress:
    """Read a pool's URL. InvalidParameterValue says what is missing."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise InvalidParameterValue(f"{url} is not a valid storage URL") from None
    kind = _KINDS.get(parts.scheme.lower())
    if kind is None:
        raise InvalidParameterValue(
            f"{parts.scheme or url} is not a valid storage scheme; use one of {', '.join(_KINDS)}"
        )
    type, usual_port = kind
    host = parts.hostname or ("localhost" if type in _LOCAL else "")
    if not host:
        raise InvalidParameterValue(f"{url} names no storage host")
    path = unquote(parts.path).replace("//", "/")
    if path in ("", "/"):
        raise InvalidParameterValue(f"{url} names no path on the storage host")
    return PoolAddress(
        type,
        host,
        path.strip("/") if type == "RBD" else path,
        port or usual_port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )
