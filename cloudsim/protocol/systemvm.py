"""What is asked of a system VM, and what it replies: JSON whose member `type` is its name.

The host's agent carries a `SystemVmRequest` into the machine (over virtio-serial on a libvirt host) and the `SystemVmReply`
back. All requests may be repeated: each says how things are to be, or asks how they are. A reply with `error` tells what
could not be done. Sizes are bytes, times Unix seconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudsim.protocol.router import RouterConfiguration


class SystemVmRequest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A request to a system VM."""


class SystemVmReply(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A reply of a system VM; `error` None: done."""

    error: str | None = None


# all kinds


class Ping(SystemVmRequest, frozen=True, kw_only=True):
    """Are you there?"""


class Pong(SystemVmReply, frozen=True, kw_only=True):
    """`version` of its software, seconds since it booted, and what it is."""

    version: str = ""
    uptime: float = 0.0
    role: str = ""


class Done(SystemVmReply, frozen=True, kw_only=True):
    """It was done, or was so already."""


class RunDiagnostics(SystemVmRequest, frozen=True, kw_only=True):
    """Run `ping`, `traceroute` or `arping` to an address (or host name)."""

    tool: Literal["ping", "traceroute", "arping"]
    address: str
    parameters: tuple[str, ...] = ()


class DiagnosticsResult(SystemVmReply, frozen=True, kw_only=True):
    """What the tool printed, and its exit code."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0


# routers


class ConfigureRouter(SystemVmRequest, frozen=True, kw_only=True):
    """Be this router. `number` grows with each configuration; an older one than the one in force is refused."""

    number: int
    configuration: RouterConfiguration


class RouterStatistics(SystemVmRequest, frozen=True, kw_only=True):
    """How much went through, who has leases, and which servers are up?"""


class AddressTraffic(msgspec.Struct, frozen=True):
    """Bytes that went out and came in through a public address since the router started."""

    ip: str
    sent: int = 0
    received: int = 0


class RouterStatisticsResult(SystemVmReply, frozen=True, kw_only=True):
    """`leases`: (MAC, IP) taken. `members_up`: (balancer id, member id) of servers that answer; `members_down` likewise."""

    number: int = 0
    traffic: tuple[AddressTraffic, ...] = ()
    leases: tuple[tuple[str, str], ...] = ()
    members_up: tuple[tuple[str, str], ...] = ()
    members_down: tuple[tuple[str, str], ...] = ()
    sites_up: tuple[str, ...] = ()
    """Ids of the site-to-site VPN connections that are established."""


class CheckHealth(SystemVmRequest, frozen=True, kw_only=True):
    """Check yourself: that your services run, your addresses are there, and your disk and memory suffice."""


class HealthCheckResult(msgspec.Struct, frozen=True):
    """One check."""

    name: str
    success: bool
    details: str = ""
    type: Literal["basic", "advanced"] = "basic"


class HealthReport(SystemVmReply, frozen=True, kw_only=True):
    """All checks, in the order in which they were made."""

    checks: tuple[HealthCheckResult, ...] = ()


# console proxies


class ConsoleGrant(msgspec.Struct, frozen=True):
    """A console that may be opened once with a token whose SHA-256 sum (hex) is `token_hash`, until `expires`.

    `kind` vnc: RFB over WebSocket to `host`:`port`, logged in with `password` on the client's behalf. serial, text: a
    terminal's bytes from there; what it is told first is `password` and a line's end. A session through which nothing
    passes for `idle` seconds is cut; 0: never.
    """

    session_id: str
    token_hash: str
    kind: Literal["vnc", "serial", "text"]
    host: str
    port: int
    password: str = ""
    expires: float = 0.0
    title: str = ""
    idle: float = 0.0


class GrantConsole(SystemVmRequest, frozen=True, kw_only=True):
    grant: ConsoleGrant


class RevokeConsole(SystemVmRequest, frozen=True, kw_only=True):
    """The session is over: its token opens nothing, and if it is open it is cut."""

    session_id: str


class ConsoleSessions(SystemVmRequest, frozen=True, kw_only=True):
    """Which consoles are open, and which have ended since you were last asked?"""


class OpenConsole(msgspec.Struct, frozen=True):
    """A console that somebody at `client` watches, or has watched."""

    session_id: str
    client: str
    since: float
    open: bool = True


class ConsoleSessionsResult(SystemVmReply, frozen=True, kw_only=True):
    sessions: tuple[OpenConsole, ...] = ()


# secondary storage VMs


class StartDownload(SystemVmRequest, frozen=True, kw_only=True):
    """Fetch `url` into the store at `path`. Repeated with the same id it says nothing new and goes on.

    `checksum` is bare (MD5, SHA-1, ... by its length) or {SHA-256}hex. Bigger than `largest` bytes fails, as do
    servers on internal networks that are not of `allowed_networks` (CIDRs). What another machine fetched before it
    died is in the store, and need not be fetched again. Replied with a TransferResult.
    """

    transfer_id: str
    url: str
    store_url: str
    path: str
    format: str
    checksum: str | None = None
    largest: int | None = None
    allowed_networks: tuple[str, ...] = ()


class TransferStatus(SystemVmRequest, frozen=True, kw_only=True):
    """How far is it?"""

    transfer_id: str


class CancelTransfer(SystemVmRequest, frozen=True, kw_only=True):
    """Stop it and remove what there is of it, or take a published file back.

    `store_url` and `path`, where given, say what to remove of one that another machine began. Replied with Done.
    """

    transfer_id: str
    store_url: str = ""
    path: str = ""


class TransferResult(SystemVmReply, frozen=True, kw_only=True):
    """`state` Unknown: this machine knows nothing of it (it was replaced). `size` 0: not known yet.

    When Done, `physical_size` and `virtual_size` are those of the image, `checksum` is that of what was sent. `reason`
    says why it Failed: not `error`, which says that the machine could not do what it was asked.
    """

    state: Literal["Unknown", "Running", "Published", "Done", "Failed"] = "Unknown"
    done: int = 0
    size: int = 0
    physical_size: int = 0
    virtual_size: int = 0
    path: str = ""
    checksum: str | None = None
    reason: str = ""


class PublishFile(SystemVmRequest, frozen=True, kw_only=True):
    """Serve a file of the store at /userdata/`name` until `expires`, to those who have the signed URL.

    `key_hash` is the SHA-256 sum of what the URL has as its `signature`. Replied with a TransferResult, Published.
    """

    transfer_id: str
    store_url: str
    path: str
    name: str
    key_hash: str
    expires: float
    size: int = 0
    """What it should have, as far as anybody knows."""


class ExpectUpload(SystemVmRequest, frozen=True, kw_only=True):
    """Take a POST to /upload/`transfer_id` with that signature into the store at `path`, until `expires`.

    Replied with a TransferResult: Published until the POST comes, Running while it does.
    """

    transfer_id: str
    store_url: str
    path: str
    format: str
    key_hash: str
    expires: float
    checksum: str | None = None
    largest: int | None = None


def _leaves(kind: type) -> tuple[type, ...]:
    return tuple(kind.__subclasses__())


REQUESTS: tuple[type[SystemVmRequest], ...] = _leaves(SystemVmRequest)
REPLIES: tuple[type[SystemVmReply], ...] = _leaves(SystemVmReply)

AnyRequest = (
    Ping
    | RunDiagnostics
    | ConfigureRouter
    | RouterStatistics
    | CheckHealth
    | GrantConsole
    | RevokeConsole
    | ConsoleSessions
    | StartDownload
    | TransferStatus
    | CancelTransfer
    | PublishFile
    | ExpectUpload
)
AnyReply = (
    Pong
    | Done
    | DiagnosticsResult
    | RouterStatisticsResult
    | HealthReport
    | ConsoleSessionsResult
    | TransferResult
)
"""On the wire the kind is the member `type`: {"type": "Ping"}."""
