"""Asking servers for files, by http, https and ftp: from where one stopped, and no server on an internal network."""

from __future__ import annotations

import base64
import ftplib
import http.client
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from backends.systemvm.secstorage.errors import BrokeOff, TransferError
from backends.systemvm.secstorage.networks import check_allowed

SCHEMES = ("http", "https", "ftp")
MOST_REDIRECTS = 5
SILENCE = 60.0
"""Seconds that a server may keep silent."""
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses of servers that may do better in a while."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Arriving(NamedTuple):
    """What a server sends from byte `at` on. `size` of all of it, None: it does not say. `validator` as in `Part`."""

    at: int
    size: int | None
    validator: str
    read: Callable[[int], bytes]
    close: Callable[[], None]


def shown(url: str) -> str:
    """The URL as error texts show it: without the passwords and tokens that may be in it.

    >>> shown("https://me:secret@images.example/a.qcow2?token=1")
    'https://images.example/a.qcow2'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def fetch(
    url: str, allowed: Sequence[str], done: int = 0, validator: str = "", silence: float = SILENCE
) -> Arriving:
    """Open the URL, at byte `done` if the server still has the version that it called `validator`.

    Raises BrokeOff for what may pass, TransferError for what will not.
    """
    try:
        for _ in range(MOST_REDIRECTS + 1):
            parts = urlsplit(url)
            if parts.scheme not in SCHEMES or not parts.hostname:
                raise TransferError(f"{shown(url)} is no URL of a server: {', '.join(SCHEMES)}")
            if parts.scheme == "ftp":
                return _by_ftp(url, allowed, done, validator, silence)
            answer = _by_http(url, allowed, done, validator, silence)
            if isinstance(answer, Arriving):
                return answer
            url = urljoin(url, answer)
        raise TransferError(f"the server redirects more than {MOST_REDIRECTS} times")
    except TimeoutError as error:
        raise BrokeOff(f"the server was silent for {silence:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise TransferError(
            f"the server's certificate is not to be trusted: {error.verify_message}"
        ) from error
    except ftplib.error_perm as error:
        raise TransferError(f"the server says {error}") from error
    except (http.client.HTTPException, ftplib.Error, EOFError, OSError, ValueError) as error:
        raise BrokeOff(str(error) or type(error).__name__) from error


def connect(host: str, port: int, allowed: Sequence[str], silence: float = SILENCE) -> socket.socket:
    """A connection to the host, at an address that was looked at. Raises TransferError if none of them is allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise BrokeOff(f"{host} is not found: {error.strerror}") from error
    failure: Exception = BrokeOff(f"{host} has no address")
    for family, kind, protocol, _, address in found:
        try:
            check_allowed(str(address[0]), allowed, host)
        except TransferError as error:
            failure = error
            continue
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(silence)
        try:
            connection.connect(address)
            return connection
        except OSError as error:
            connection.close()
            failure = error
    raise failure


# http, https


class _Plain(http.client.HTTPConnection):
    allowed: Sequence[str] = ()
    silence = SILENCE

    def connect(self) -> None:
        self.sock = connect(self.host, self.port, self.allowed, self.silence)


class _Secure(_Plain):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _by_http(url: str, allowed: Sequence[str], done: int, validator: str, silence: float) -> Arriving | str:
    """What is sent, or where the server says to look instead."""
    parts = urlsplit(url)
    connection = (_Secure if parts.scheme == "https" else _Plain)(parts.hostname or "", parts.port)
    connection.allowed, connection.silence = allowed, silence
    headers = {"User-Agent": "cloudsim", "Accept-Encoding": "identity", "Connection": "close"}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    if done and validator:
        headers |= {"Range": f"bytes={done}-", "If-Range": validator}
    try:
        connection.request(
            "GET", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", headers=headers
        )
        response = connection.getresponse()
        place = response.headers.get("Location")
        if response.status in _REDIRECTS and place:
            connection.close()
            return place
        if response.status == 416:  # there are fewer bytes than there were
            connection.close()
            return _by_http(url, allowed, 0, "", silence)
        if response.status not in (200, 206):
            failure = BrokeOff if response.status in _PASSING else TransferError
            raise failure(f"the server says {response.status} {response.reason}")
        return _arriving(response, connection.close, done)
    except BaseException:
        connection.close()
        raise


def _arriving(response: http.client.HTTPResponse, close: Callable[[], None], done: int) -> Arriving:
    headers = response.headers
    length = headers.get("Content-Length", "")
    size = (
        int(length)
        if length.isdigit() and headers.get("Content-Encoding", "identity") == "identity"
        else None
    )
    at = 0
    if response.status == 206:
        named = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if named is None or int(named[1]) != done:
            raise TransferError("the server sends another part than it was asked for")
        at = done
        size = int(named[2]) if named[2] != "*" else None
    tag = headers.get("ETag", "")
    strong = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
    return Arriving(at, size, strong, response.read, close)


# ftp


class _Ftp(ftplib.FTP):
    def __init__(self, allowed: Sequence[str], silence: float) -> None:
        super().__init__(timeout=silence)
        self._allowed = allowed
        self._silence = silence

    def reach(self, host: str, port: int) -> None:
        self.sock = connect(host, port, self._allowed, self._silence)
        self.af = self.sock.family
        self.host = str(self.sock.getpeername()[0])  # where transfers of data are sought, too
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()


def _by_ftp(url: str, allowed: Sequence[str], done: int, validator: str, silence: float) -> Arriving:
    parts = urlsplit(url)
    server = _Ftp(allowed, silence)
    try:
        server.reach(parts.hostname or "", parts.port or ftplib.FTP_PORT)
        server.login(unquote(parts.username or ""), unquote(parts.password or ""))
        server.voidcmd("TYPE I")
        path = unquote(parts.path).lstrip("/")
        size: int | None = None
        stamp = ""
        with suppress(ftplib.error_perm):
            size = server.size(path)
            stamp = server.voidcmd(f"MDTM {path}").removeprefix("213 ").strip()
        version = f"{stamp} {size}" if stamp and size is not None else ""
        at = done if done and version and version == validator else 0
        data: Any = server.transfercmd(f"RETR {path}", rest=at or None)
    except BaseException:
        server.close()
        raise

    def close() -> None:
        data.close()
        server.close()

    return Arriving(at, size, version, data.recv, close)
