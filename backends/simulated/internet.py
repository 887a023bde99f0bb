"""What the servers of a simulated internet serve: as many bytes as the URL says."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from backends.simulated.latency import Sampler
from cloudsim.hypervisor import HypervisorError

_SCHEMES = frozenset({"http", "https", "ftp"})
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Served:
    """A file at a URL.

    `checksum` is the MD5 of the URL, so that the same URL always has the same. It is `corrupt` if it never has the
    checksum that somebody expects; `resumable` if the server gives any part of it.
    """

    __slots__ = ("checksum", "corrupt", "host", "resumable", "size", "url")

    def __init__(self, url: str, sampler: Sampler, size: int | None = None) -> None:
        """Ask the server for it; it was `size` bytes when it was asked before.

        It has as many bytes as the URL's `size` says (units k, m, g, t, of 1024) or the profile's `download_size`;
        `corrupt` and `norange` in the query make it so. Raises HypervisorError for schemes other than http, https
        and ftp, and for a server whose name or path begins with "fail".
        """
        parts = urlsplit(url)
        query = parse_qs(parts.query, keep_blank_values=True)
        self.url = url
        self.host = host = parts.hostname or ""
        if parts.scheme not in _SCHEMES or not host:
            raise HypervisorError(f"cannot download {url}: scheme {parts.scheme or 'missing'!r} has no server")
        if host.startswith("fail") or parts.path.startswith("/fail"):
            raise HypervisorError(f"cannot download {url}: {host} does not serve it")
        if "size" in query:
            size = _size(url, query)
        self.size = int(sampler("download_size")) if size is None else size
        self.corrupt = "corrupt" in query
        self.resumable = "norange" not in query
        self.checksum = hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()

    @staticmethod
    def host_of(url: str) -> str:
        """The server's name or address; "" where it names none."""
        return urlsplit(url).hostname or ""

    def check(self, checksum: str | None) -> str:
        """The checksum that was found. Raises HypervisorError if another one was expected."""
        if checksum and self.corrupt:
            raise HypervisorError(f"what {self.url} serves does not have the checksum {checksum}")
        return checksum or self.checksum


def _size(url: str, query: dict[str, list[str]]) -> int:
    text = query["size"][-1].strip().lower().removesuffix("b")
    number, unit = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
    if not number.isdigit() or unit not in _UNITS:
        raise HypervisorError(f"cannot download {url}: {query['size'][-1]!r} is not a size")
    return int(number) * _UNITS[unit]


def check_outside(host: str, allowed: Sequence[str]) -> None:
    """Raise HypervisorError for an address on an internal network that is not of `allowed` (CIDRs); names are outside."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return
    if address.is_global or any(address in ipaddress.ip_network(each, strict=False) for each in allowed):
        return
    raise HypervisorError(f"{host} is on an internal network that downloads may not come from")
