"""What a system VM's guest is to bring about, in terms of a Linux machine: interfaces, routes, rules, files, services.

The host renders a configuration to a `Plan` (backends/systemvm/rendering) and sends it as plain JSON into the machine or
the namespace, whose software (backends/systemvm/guest, standard library only) applies it. A plan is whole: what is
not in it any more is taken away. It is idempotent: only what differs is changed, so that leases, connections through
the router and those through its load balancer outlive a new plan.

Names: every interface is called `interface_name(mac)` before anything of a plan is applied, so that rules and files
may speak of it. All files of a plan are below `ROOT`, the guest's own memory: a machine that boots starts empty.
"""

from __future__ import annotations

import msgspec

ROOT = "/run/systemvm"
LEASES = f"{ROOT}/leases"
"""dnsmasq's lease file (`dhcp-leasefile`): read by the guest for the router's statistics."""
BALANCER_SOCKET = f"{ROOT}/haproxy.sock"
"""haproxy's statistics socket. Backends are called by their balancer's id, servers by their member's."""
CONTROL = f"{ROOT}/control"
"""Folder of the sockets at which a system VM's own services take requests.

`consoleproxy` and `secstorage` are run as `python -m backends.systemvm.NAME --control ROOT/control/NAME`: a Unix socket at
which they take connections, and on each any number of lines: the JSON of a request of `cloudsim.protocol.systemvm`
that is theirs ({"type": "GrantConsole", ...}, with a member `id` of the guest agent's), each answered by a line: the JSON of
the reply, with the same `id`.
"""
CHANNEL = "cloudsim.systemvm.0"
"""The name of the virtio port by which a machine is spoken to."""
STORES = f"{ROOT}/stores.json"
"""A file for `secstorage`: {URL of an image store: folder where the machine has it mounted}."""
MAIN_TABLE = 254
FIRST_PRIORITY, LAST_PRIORITY = 1000, 29_999
"""Routing policy rules of a plan have priorities from here to there; others are not its own."""


def interface_name(mac: str) -> str:
    """What the interface with this MAC is called, in every system VM: n and its twelve digits.

    >>> interface_name("02:00:4C:00:00:0A")
    'n02004c00000a'
    """
    return "n" + mac.replace(":", "").lower()


class Interface(msgspec.Struct, frozen=True):
    """An interface: it is up, with just these addresses ("10.1.1.1/24"), the first of a subnet being the main one.

    Addresses that are new on it are announced (gratuitous ARP). An interface that no plan names is down and bare.
    """

    mac: str
    addresses: tuple[str, ...] = ()
    mtu: int = 1500


class PlannedRoute(msgspec.Struct, frozen=True):
    """A route to `destination` ("0.0.0.0/0" is the default) over a gateway, an interface (by MAC), or both.

    `source` is the preferred source address.
    """

    destination: str
    gateway: str = ""
    mac: str = ""
    table: int = MAIN_TABLE
    source: str = ""


class PlannedRule(msgspec.Struct, frozen=True):
    """A routing policy rule: packets from `source`, to `destination`, with `mark`, coming in at `mac` look in `table`.

    What is empty (0) does not matter.
    """

    priority: int
    table: int
    source: str = ""
    destination: str = ""
    mark: int = 0
    mac: str = ""


class CountedAddress(msgspec.Struct, frozen=True):
    """A public address, on the interface with that MAC, whose traffic is counted.

    The guest counts in a table of its own, which no rule set replaces.
    """

    ip: str
    mac: str


class Mount(msgspec.Struct, frozen=True):
    """A folder that the host shares with the machine under this tag (9p), and where it is to be."""

    tag: str
    folder: str


class Service(msgspec.Struct, frozen=True):
    """A program that runs, in the foreground, and is started again when it ends. `command` "python" is the guest's own.

    When the content of one of `restart_on` (paths of the plan's files) changed, or its command, it is restarted; else, of
    one of `reload_on`, it gets the signal `reload` ("HUP", "USR2"). `check` is a command that must succeed once the plan's
    files are in place; if it fails, the old files come back and the plan is refused with its output. `after` is run, each
    in turn, whenever the program was started or reloaded (such as "swanctl --load-all"); it is tried for up to 30 s.
    `modules` are kernel modules that it needs; one that is not there is no error here.
    """

    name: str
    command: tuple[str, ...] = ()
    reload: str = ""
    reload_on: tuple[str, ...] = ()
    restart_on: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    after: tuple[tuple[str, ...], ...] = ()
    modules: tuple[str, ...] = ()


class MetadataGuest(msgspec.Struct, frozen=True):
    """What the instance that asks from `ip` is told: user data (base64) and metadata, by the names of their paths.

    `meta_data` keys are paths below /latest/meta-data/, such as "local-ipv4" or "public-keys". The password is given out
    until the instance says that it has it.
    """

    ip: str
    user_data: str = ""
    meta_data: dict[str, str] = {}
    password: str = ""


class Metadata(msgspec.Struct, frozen=True):
    """The metadata server, at port 80 (and the password server at 8080) of each of these addresses of the router."""

    addresses: tuple[str, ...] = ()
    guests: tuple[MetadataGuest, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All of a system VM. `number` as ConfigureRouter's: a plan with a lower one than that in force is refused.

    `nft` is one nft script, applied in one transaction whenever its text changed; it begins by taking away what it makes
    ("table inet router", "delete table inet router", "table inet router {...}"), and leaves other tables alone.
    `sysctls` are written as they are, by name ("net.ipv4.ip_forward"); names of interfaces in them are `interface_name`s.
    `files`: content by absolute path below ROOT; `secret_files` likewise, readable by root alone.
    Order: files and checks, nft, mounts, names, sysctls, interfaces, routes and rules, services.
    The metadata server is no entry of `services`: it runs where there is `metadata`.
    """

    number: int = 0
    hostname: str = ""
    role: str = ""
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[PlannedRoute, ...] = ()
    rules: tuple[PlannedRule, ...] = ()
    sysctls: dict[str, str] = {}
    nft: str = ""
    counted: tuple[CountedAddress, ...] = ()
    files: dict[str, str] = {}
    secret_files: dict[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    services: tuple[Service, ...] = ()
    metadata: Metadata | None = None
