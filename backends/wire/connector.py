"""The agent's way to its manager: TLS with certificates at both ends, then a WebSocket."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from backends.wire.certificates import MANAGER
from backends.wire.identity import Identity
from backends.wire.link import SETTINGS, WebSocketLink

PORT = 8250
"""Where agents connect to, unless told otherwise; CloudStack's own."""
CONNECT_WITHIN = 10.0
"""Seconds for name resolution, TCP, TLS and the WebSocket's opening together."""
AGENT, ENROL, RENEW = "/agent", "/enrol", "/renew"


class ManagerUrl(msgspec.Struct, frozen=True):
    """Where the management server waits for its agents."""

    host: str
    port: int = PORT

    @classmethod
    def parse(cls, text: str) -> ManagerUrl:
        """Of wss://HOST[:PORT]. ValueError for anything else."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"{text!r} is no manager: {error}") from error
        if parts.scheme != "wss" or not host or parts.path.strip("/") or parts.query or parts.username:
            raise ValueError(f"{text!r} is no manager: expected wss://HOST:{PORT}")
        return cls(host, PORT if port is None else port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"wss://{host}:{self.port}"


class ManagerConnector:
    """Implements `cloudsim.protocol.link.Connector`. The identity's files are read anew for each connection."""

    def __init__(self, url: ManagerUrl, identity: Identity, timeout: float = CONNECT_WITHIN) -> None:
        self.url = url
        self.identity = identity
        self.timeout = timeout
        self.link: WebSocketLink | None = None
        """The link that was opened last."""

    async def connect(self) -> WebSocketLink:
        """Open a link. Raises ConnectionError, with the reason, whatever it was."""
        connection = await open_connection(self.url, AGENT, own_context(self.identity), self.timeout)
        self.link = WebSocketLink(connection)
        return self.link


async def open_connection(
    url: ManagerUrl, path: str, context: ssl.SSLContext, timeout: float = CONNECT_WITHIN
) -> ClientConnection:
    """A WebSocket to the manager; whoever else is at the address, ConnectionError. `context` says who it may be."""
    try:
        connection = await connect(
            f"{url}{path}", ssl=context, open_timeout=timeout, proxy=None, user_agent_header=None, **SETTINGS
        )
    except ssl.SSLCertVerificationError as error:
        raise ConnectionError(
            f"the manager at {url} cannot prove who it is: {error.verify_message}"
        ) from error
    except InvalidStatus as error:
        text = error.response.body.decode(errors="replace").strip() if error.response.body else ""
        raise ConnectionError(f"the manager at {url} refuses: {text or error}") from error
    except TimeoutError as error:
        raise ConnectionError(f"the manager at {url} did not answer within {timeout:g} s") from error
    except (OSError, WebSocketException) as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise ConnectionError(f"the manager at {url} cannot be reached: {error}{cause}") from error
    if context.verify_mode == ssl.CERT_REQUIRED and not _is_manager(connection):
        connection.transport.abort()
        raise ConnectionError(f"who answers at {url} has a certificate of the cloud's, but not the manager's")
    return connection


def manager_context(authority: str) -> ssl.SSLContext:
    """Trusts managers with a certificate of that authority (PEM), reached by a name that it is for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=authority)
    return context


def own_context(identity: Identity) -> ssl.SSLContext:
    """As `manager_context`, and shows the agent's own certificate. ConnectionError when its files cannot be used."""
    try:
        context = manager_context(identity.authority.read_text())
        context.load_cert_chain(identity.certificate, identity.key)
    except OSError as error:  # ssl.SSLError is one
        raise ConnectionError(f"the certificates in {identity.folder} cannot be used: {error}") from error
    return context


def _is_manager(connection: ClientConnection) -> bool:
    shown = connection.transport.get_extra_info("peercert") or {}
    return ("URI", MANAGER) in shown.get("subjectAltName", ())
