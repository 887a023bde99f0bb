"""What an operator may tell an agent, on the command line or in `agent.yaml` in its folder."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
import msgspec
import yaml

from backends.libvirt.settings import HostSettings
from backends.private_files import private_folder, write_private
from backends.wire.agent_process import AgentSettings
from backends.wire.connector import ManagerUrl
from backends.wire.identity import Identity
from cloudsim.protocol.specs import Place

FILE = "agent.yaml"
F = TypeVar("F", bound=Callable[..., Any])


class OptionsError(ValueError):
    """The options do not make an agent; the text says which and why."""


class AgentOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All of them; None is not said. Names as in the file; on the command line with dashes."""

    manager: str | None = None
    zone: str | None = None
    pod: str | None = None
    cluster: str | None = None
    hypervisor: str | None = None
    name: str | None = None
    private_ip: str | None = None
    guest_device: str | None = None
    public_device: str | None = None
    management_device: str | None = None
    migration_uri: str | None = None
    vnc_listen: str | None = None
    emulate: bool | None = None
    wait_for_guest: float | None = None
    system_vm_within: float | None = None
    stop_within: float | None = None
    libvirt_timeout: float | None = None
    cpus: int | None = None
    cpu_mhz: int | None = None
    memory: int | None = None
    reserved_memory: int | None = None
    local_storage: str | None = None

    @classmethod
    def kept(cls, folder: Path) -> AgentOptions:
        """Those in the folder's file; none if there is no file. Raises OptionsError."""
        path = folder / FILE
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
            return msgspec.convert(found or {}, cls)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise OptionsError(f"{path}: {error.strerror}") from error
        except (UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
            raise OptionsError(f"{path}: {error}") from error

    def keep(self, folder: Path) -> None:
        """Write the file. Raises OSError."""
        text = yaml.safe_dump(msgspec.to_builtins(self), sort_keys=False)
        private_folder(folder)
        write_private(folder / FILE, text.encode())

    def over(self, below: AgentOptions) -> AgentOptions:
        """These, and what they do not say from `below`."""
        return AgentOptions(**{**_said(below), **_said(self)})

    def with_defaults(self) -> AgentOptions:
        """With the host's name and its address on the way to the manager. Raises OptionsError for what is missing or wrong."""
        url = self.manager_url()
        self.place()
        return AgentOptions(
            name=self.name or socket.gethostname(), private_ip=self.private_ip or _source_address(url)
        ).over(self)

    def manager_url(self) -> ManagerUrl:
        if self.manager is None:
            raise OptionsError("--manager is missing: wss://HOST:8250")
        try:
            return ManagerUrl.parse(self.manager)
        except ValueError as error:
            raise OptionsError(f"--manager: {error}") from error

    def place(self) -> Place | None:
        """Where the host wants to be; None where nothing is said of it."""
        said = [part for part in (self.zone, self.pod, self.cluster) if part is not None]
        if not said:
            return None
        if self.zone is None or self.pod is None or self.cluster is None:
            raise OptionsError("--zone, --pod and --cluster are given together, or none of them")
        return Place(self.zone, self.pod, self.cluster)

    def settings(self, identity: Identity) -> AgentSettings:
        """What the agent of that identity runs with. Raises OptionsError, or OSError when the identity has no guid."""
        said = self.with_defaults()
        folder = identity.folder.absolute()
        assert said.name is not None and said.private_ip is not None
        given: dict[str, Any] = {
            "uri": said.hypervisor,
            "guest_device": said.guest_device,
            "public_device": said.public_device,
            "management_device": said.management_device,
            "system_vm_within": said.system_vm_within,
            "migration_uri": said.migration_uri or migration_uri(folder),
            "vnc_listen": said.vnc_listen,
            "emulate": said.emulate,
            "wait_for_guest": said.wait_for_guest,
            "stop_within": said.stop_within,
            "libvirt_timeout": said.libvirt_timeout,
            "cpus": said.cpus,
            "cpu_mhz": said.cpu_mhz,
            "memory_mib": said.memory,
            "reserved_memory_mib": said.reserved_memory,
            "local_storage": None if said.local_storage is None else Path(said.local_storage),
        }
        host = HostSettings(
            name=said.name,
            guid=identity.guid,
            data=folder,
            private_ip=said.private_ip,
            **{name: value for name, value in given.items() if value is not None},
        )
        return AgentSettings(manager=said.manager_url(), host=host, place=said.place())


def migration_uri(folder: Path) -> str:
    """How libvirt reaches that of another host with the certificates of the agent in `folder`."""
    return f"qemu+tls://{{address}}/system?pkipath={quote(str(folder / 'pki'))}"


_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--manager", {"metavar": "wss://HOST:8250", "help": "Where the management server waits for agents."}),
    (
        "--zone",
        {"help": "The zone to join, by name or id; with --pod and --cluster. Without: wait for addHost."},
    ),
    ("--pod", {"help": "The pod to join."}),
    ("--cluster", {"help": "The cluster to join."}),
    ("--hypervisor", {"metavar": "URI", "help": "The libvirt of this host [default: qemu:///system]."}),
    ("--name", {"help": "What the cloud calls this host [default: the machine's name]."}),
    (
        "--private-ip",
        {"help": "Where other hosts reach this one [default: its address on the way to the manager]."},
    ),
    ("--guest-device", {"help": "The bridge or interface for guest networks [default: cloudbr0]."}),
    ("--public-device", {"help": "The bridge or interface for public traffic [default: the guest device]."}),
    (
        "--management-device",
        {"help": "The bridge by which system VMs reach hosts and storage [default: the guest device]."},
    ),
    (
        "--migration-uri",
        {"help": "The libvirt of another host at {address} [default: TLS, with the agent's key]."},
    ),
    ("--vnc-listen", {"metavar": "ADDRESS", "help": "Where consoles listen [default: 0.0.0.0]."}),
    ("--emulate/--no-emulate", {"default": None, "help": "Do without KVM even where it works."}),
    (
        "--wait-for-guest",
        {"type": click.FloatRange(0), "metavar": "S", "help": "Seconds that a start waits for DHCP."},
    ),
    (
        "--system-vm-within",
        {"type": click.FloatRange(1), "metavar": "S", "help": "Seconds that a system VM has to boot [default: 180]."},
    ),
    (
        "--stop-within",
        {"type": click.FloatRange(0), "metavar": "S", "help": "Seconds that a guest has to shut down."},
    ),
    (
        "--libvirt-timeout",
        {"type": click.FloatRange(1), "metavar": "S", "help": "Seconds for quick libvirt calls."},
    ),
    ("--cpus", {"type": click.IntRange(1), "help": "Offer so many cores [default: what the machine has]."}),
    ("--cpu-mhz", {"type": click.IntRange(1), "help": "Of this speed."}),
    ("--memory", {"type": click.IntRange(1), "metavar": "MIB", "help": "Offer so much memory."}),
    (
        "--reserved-memory",
        {"type": click.IntRange(0), "metavar": "MIB", "help": "Keep so much for the host itself."},
    ),
    (
        "--local-storage",
        {"metavar": "DIR", "help": "Local primary storage [default: /var/lib/libvirt/images]."},
    ),
)


def agent_options(command: F) -> F:
    """A click command's options for `AgentOptions`, by the same names."""
    for name, attributes in reversed(_OPTIONS):
        command = click.option(name, **{"default": None, **attributes})(command)
    return command


def _said(options: AgentOptions) -> dict[str, Any]:
    found = {name: getattr(options, name) for name in options.__struct_fields__}
    return {name: value for name, value in found.items() if value is not None}


def _source_address(manager: ManagerUrl) -> str:
    """This machine's address on the way to the manager. Raises OptionsError when there is no way."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            manager.host, manager.port, type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(family, kind, number) as probe:
            probe.connect(address)  # sends nothing
            return str(probe.getsockname()[0])
    except OSError as error:
        raise OptionsError(
            f"there is no way to {manager}: {error.strerror or error}. Give --private-ip if that will change"
        ) from error
