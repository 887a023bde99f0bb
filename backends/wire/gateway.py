"""Where agents connect to: the manager's WebSocket server.

/agent   an agent's link; its certificate says which agent it is
/enrol   a new host gets its certificate against a token; the only place without one
/renew   an agent gets its next certificate
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar

import msgspec
from cryptography import x509
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from backends.wire import certificates as c
from backends.wire.authority import Authority, Refused
from backends.wire.connector import AGENT, ENROL, PORT, RENEW
from backends.wire.enrolment import (
    ANSWER_WITHIN,
    AuthorityCertificate,
    CertificateAnswer,
    CertificateRequest,
    EnrolRequest,
)
from backends.wire.link import SETTINGS, WebSocketLink
from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import Message, Ping, Startup

log = logging.getLogger(__name__)

CHECK_EVERY = 1.0
"""Seconds within which the connection of an agent whose certificate is revoked is closed."""
RENEW_EVERY = 3600.0
"""Seconds between looks at the gateway's own certificate."""
MOST_STRANGERS = 32
"""Hosts that may be at /enrol at one time."""
LARGEST_REQUEST = 64 * 2**10
"""Bytes of a message of those who want a certificate."""

T = TypeVar("T")


class AgentLink(WebSocketLink):
    """The manager's end of an agent's connection; only the agent that the certificate names is heard."""

    def __init__(self, connection: ServerConnection, shown: x509.Certificate, gateway: Gateway) -> None:
        super().__init__(connection, self._judge)
        self.guid = c.common_name(shown)
        self.serial = c.serial_name(shown.serial_number)
        self.not_after = c.not_after(shown)
        self.startup: Startup | None = None
        self.remote = _remote(connection)
        self._gateway = gateway

    def _judge(self, message: Message) -> str | None:
        if isinstance(message, Startup | Ping) and message.guid != self.guid:
            return f"its certificate is for agent {self.guid}, it says it is {message.guid}"
        if isinstance(message, Startup):
            self.startup = message
            self._gateway.arrived()
        return None

    def is_called(self, key: str) -> bool:
        """Whether that is its guid, or its host's name or address by its own account."""
        if self.startup is None:
            return False
        return key in (self.guid, self.startup.facts.private_ip) or key.lower() == self.startup.name.lower()


class Gateway:
    """Runs on the loop that it is started on; may be started again after it was stopped.

    `names` are the host names and addresses by which agents reach it, see `default_names`. Port 0 takes a free one;
    `port` tells which. Agents are refused while nobody is attached.
    """

    def __init__(
        self, authority: Authority, host: str = "0.0.0.0", port: int = PORT, names: Sequence[str] = ()
    ) -> None:
        self.authority = authority
        self.host = host
        self.port = port
        self.names = tuple(names) or default_names(host)
        self.days: Callable[[], int] = lambda: c.CERTIFICATE_DAYS
        """How long the certificates of agents are good for."""
        self.may_renew: Callable[[str], bool] = lambda guid: True
        """Whether the agent of that guid gets its next certificate now."""
        self._accept: Callable[[Link], None] | None = None
        self._links: set[AgentLink] = set()
        self._strangers = 0
        self._arrivals: list[asyncio.Future[None]] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server: Server | None = None
        self._rounds: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had, ValueError for names that are none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL  # a new host has none, see _door
        context.load_verify_locations(self.authority.certificate_file)
        self._context = context
        self._load_certificate()
        self._server = await serve(
            self._serve, self.host, self.port, ssl=context, process_request=self._door, **SETTINGS
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        loop = asyncio.get_running_loop()
        self._rounds = [
            loop.create_task(_every(CHECK_EVERY, self._close_revoked)),
            loop.create_task(_every(RENEW_EVERY, self._load_certificate)),
        ]
        log.info("agents are awaited at port %d", self.port)

    async def stop(self) -> None:
        """Close all links, and listen no more."""
        for task in self._rounds:
            task.cancel()
        self.detach()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def attach(self, accept: Callable[[Link], None]) -> None:
        """Hand each agent's link to `accept` from now on; the links of an earlier one close."""
        self.detach()
        self._accept = accept

    def detach(self) -> None:
        """Close all agents' links, and refuse agents."""
        self._accept = None
        for link in list(self._links):
            link.close()

    # who is there

    def called(self, key: str) -> list[str]:
        """The guids of the connected agents of that guid, name or address: by their own account, else by where from."""
        there = [link for link in self._links if link.startup is not None and not link.closed]
        found = {link.guid for link in there if link.is_called(key)}
        return sorted(found or {link.guid for link in there if link.remote == key})

    async def find(self, key: str, within: float) -> list[str]:
        """As `called`, waiting up to `within` seconds for one to connect."""
        try:
            async with asyncio.timeout(within):
                while not (found := self.called(key)):
                    arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._arrivals.append(arrival)
                    await arrival
        except TimeoutError:
            return []
        return found

    def arrived(self) -> None:
        """A link has said whose it is."""
        arrivals, self._arrivals = self._arrivals, []
        for arrival in arrivals:
            if not arrival.done():
                arrival.set_result(None)

    # connections

    def _door(self, connection: ServerConnection, request: Request) -> Response | None:
        """Whether a connection may be opened; None for yes."""
        if request.path == ENROL:
            if self._strangers >= MOST_STRANGERS:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many new hosts at one time")
            connection.protocol.max_message_size = LARGEST_REQUEST
            return None
        shown = _shown(connection)
        if shown is None:
            return connection.respond(HTTPStatus.FORBIDDEN, "a certificate of this manager's is needed")
        if self.authority.is_revoked(shown.serial_number):
            return connection.respond(HTTPStatus.FORBIDDEN, "the agent's certificate is revoked")
        if request.path == RENEW:
            connection.protocol.max_message_size = LARGEST_REQUEST
            return None
        if request.path != AGENT:
            return connection.respond(HTTPStatus.NOT_FOUND, f"there is no {request.path}")
        if self._accept is None:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "the management server is not ready")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = connection.request.path
        try:
            if path == AGENT:
                await self._agent(connection)
            elif path == ENROL:
                self._strangers += 1
                try:
                    await self._enrol(connection)
                finally:
                    self._strangers -= 1
            else:
                await self._renew(connection)
        except ConnectionClosed:
            pass
        except TimeoutError:
            log.info("%s at %s said nothing for %g s", _remote(connection), path, ANSWER_WITHIN)
        except msgspec.DecodeError as error:
            log.warning("%s at %s: malformed request: %s", _remote(connection), path, error)

    async def _agent(self, connection: ServerConnection) -> None:
        shown, accept = _shown(connection), self._accept
        if shown is None or accept is None:
            return
        link = AgentLink(connection, shown, self)
        self._links.add(link)
        try:
            accept(link)
            await link.wait_closed()
        finally:
            self._links.discard(link)

    async def _enrol(self, connection: ServerConnection) -> None:
        await _say(connection, AuthorityCertificate(self.authority.certificate_pem))
        asked = await _receive(connection, EnrolRequest)
        peer = _remote(connection)
        try:
            made = await asyncio.to_thread(
                self.authority.enrol,
                asked.secret,
                asked.request,
                asked.guid,
                asked.name,
                asked.address,
                self.days(),
            )
        except Refused as error:
            log.warning("a new host at %s gets no certificate: %s", peer, error)
            await _say(connection, CertificateAnswer(error=str(error)))
            return
        log.info("agent %s of %s at %s has its first certificate", asked.guid, asked.name, peer)
        await _say(connection, CertificateAnswer(made, self.authority.certificate_pem))

    async def _renew(self, connection: ServerConnection) -> None:
        asked = await _receive(connection, CertificateRequest)
        shown = _shown(connection)
        assert shown is not None
        try:
            if not self.may_renew(c.common_name(shown)):
                raise Refused("agents get new certificates only when an operator has them provisioned")
            made = await asyncio.to_thread(
                self.authority.renew, shown.serial_number, asked.request, self.days()
            )
        except Refused as error:
            log.warning("agent %s gets no new certificate: %s", c.common_name(shown), error)
            await _say(connection, CertificateAnswer(error=str(error)))
            return
        log.info("agent %s has a new certificate", c.common_name(shown))
        await _say(connection, CertificateAnswer(made, self.authority.certificate_pem))

    # rounds

    def _load_certificate(self) -> None:
        """Connections from now on see the certificate as it is now."""
        self._context.load_cert_chain(*self.authority.server_files(self.names))

    def _close_revoked(self) -> None:
        revoked, now = self.authority.revoked(), self.authority.now()
        for link in list(self._links):
            if link.serial in revoked:
                link.fail("the agent's certificate is revoked")
            elif link.not_after < now:
                link.fail("the agent's certificate has ended")


def default_names(host: str) -> tuple[str, ...]:
    """By which names and addresses agents may reach a gateway that listens at `host`."""
    names = ["localhost", "127.0.0.1"]
    if c.is_name(socket.gethostname()):
        names.insert(0, socket.gethostname())
    if not _is_any(host):
        names.append(host)
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # sends nothing; says which address leads out
                names.append(probe.getsockname()[0])
            except OSError:
                pass
    return tuple(dict.fromkeys(names))


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _remote(connection: ServerConnection) -> str:
    """The address of the other end."""
    address = connection.remote_address
    return str(address[0]) if isinstance(address, tuple) else "?"


def _shown(connection: ServerConnection) -> x509.Certificate | None:
    """The certificate of the other end, which TLS has verified."""
    data = connection.transport.get_extra_info("ssl_object").getpeercert(True)
    return None if data is None else x509.load_der_x509_certificate(data)


async def _say(connection: ServerConnection, message: msgspec.Struct) -> None:
    async with asyncio.timeout(ANSWER_WITHIN):
        await connection.send(msgspec.json.encode(message), text=True)


async def _receive(connection: ServerConnection, kind: type[T]) -> T:
    async with asyncio.timeout(ANSWER_WITHIN):
        return msgspec.json.decode(await connection.recv(), type=kind)


async def _every(seconds: float, work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            work()
        except Exception:  # the next round may do better
            log.exception("a round of the gateway's failed")
