"""Fetching templates and ISOs by URL."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backends.libvirt.transfer import Received, Source, receive, stoppable
from backends.libvirt.unfinished import check_room
from cloudsim.hypervisor import HypervisorError

SCHEMES = ("http", "https", "ftp")
MOST_REDIRECTS = 5
SILENCE = 60.0
"""Seconds that a server may keep silent."""


def shown(url: str) -> str:
    """The URL as error texts show it: without the passwords and tokens that may be in it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


async def download(url: str, target: Path, algorithm: str) -> Received:
    """Fetch an http, https or ftp URL into the new file `target`. Raises HypervisorError naming the URL."""
    what = f"cannot download {shown(url)}"

    def work(stop: threading.Event) -> Received:
        try:
            with _opened(url) as (source, length):
                if length is not None:
                    check_room(target.parent, shown(url), length)
                return receive(source, target, algorithm=algorithm, length=length, stop=stop)
        except HypervisorError as error:
            raise HypervisorError(f"{what}: {error}") from error

    return await stoppable(what, work)


@contextmanager
def _opened(url: str) -> Iterator[tuple[Source, int | None]]:
    """What the server sends, and how much it says that will be."""
    _check_server(url)
    request = urllib.request.Request(url, headers={"User-Agent": "cloudsim", "Accept-Encoding": "identity"})
    try:
        with _opener().open(request, timeout=SILENCE) as response:
            length = response.headers.get("Content-Length")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                length = None
            yield response, int(length) if length is not None and length.isdigit() else None
    except urllib.error.HTTPError as error:
        error.close()
        raise HypervisorError(f"the server says {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise HypervisorError(str(error.reason)) from error
    except TimeoutError as error:
        raise HypervisorError(f"the server was silent for {SILENCE:g} s") from error
    except (HTTPException, ssl.SSLError, ConnectionError, ValueError) as error:
        raise HypervisorError(str(error) or type(error).__name__) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = MOST_REDIRECTS
    max_repeats = MOST_REDIRECTS

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_server(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """No handler for local files is in it, so that no redirect leads to one."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.FTPHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _check_server(url: str) -> None:
    """Users choose the URL: it must not lead to what serves this machine alone, like a metadata service."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise HypervisorError(f"{shown(url)} is no URL of a server: {', '.join(SCHEMES)}")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        if urllib.request.getproxies():
            return  # the proxy finds it
        raise HypervisorError(f"{parts.hostname} is not found: {error.strerror or error}") from error
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
            raise HypervisorError(f"{parts.hostname} is {ip}, which is no server of images")
