"""From a folder to a cloud on real hosts that answers: what `cloudsim lab up` does, in its order."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from backends.images import mini, systemvm
from backends.images.cache import default_folder
from backends.images.errors import ImageError
from backends.lab.agents import start_agent
from backends.lab.errors import LabError
from backends.lab.lab import Lab
from backends.lab.names import GUEST_DEVICE, PUBLIC_DEVICE
from backends.lab.processes import kill, wait_until
from backends.wire.authority import Authority
from backends.wire.connector import PORT as AGENTS_PORT
from server.data_folder import DataFolder
from server.lab.client import ApiClient, ApiError, wait_for
from server.lab.image_server import served
from server.lab.zone import PublicPlan, Zone, ZonePlan
from server.listening import bind

CLOUDSIM = str(Path(sys.executable).with_name("cloudsim"))
MANAGER = "manager"
ANSWERS_WITHIN = 120.0
TOKEN_LASTS = 300.0
SYSTEM_VM_WITHIN = 600.0
"""Seconds for a system VM to boot: a lab's hosts emulate, and share one machine."""
DIES_WITHIN = 60.0
_API_ADDRESS = "127.0.0.1"


class CloudPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to build on a lab's hosts. What is None is as the machine has it."""

    hosts: int = 3
    zone: str = "lab"
    port: int = 8080
    emulate: bool = False
    memory_mib: int | None = None
    cpus: int | None = None
    template: str | None = "mini"
    wait_for_guest: float = 0.0
    routers: Literal["none", "namespace", "machine"] = "none"
    """What routers are. With none the zone has no public network and no system VMs: hosts serve their own instances."""


Say = Callable[[str], None]


def build_cloud(lab: Lab, plan: CloudPlan, say: Say) -> None:
    """Make the lab and a cloud on it; `say` is told what is being done. Raises LabError, ApiError or ImageError.

    After an error the lab stays as far as it got; `lab.down()` takes it away.
    """
    lab.check(plan.hosts)
    _check_port(plan.port)
    image = None
    if plan.template is not None:
        say(f"building the template {plan.template}, or finding it")
        image = mini.build(None, default_folder())
    system = None
    if plan.routers != "none":
        say("building the template of system VMs, or finding it")
        try:
            system = systemvm.build(None, default_folder())
        except ImageError as error:
            raise ImageError(f"{error}\n(a lab without system VMs: --routers none)") from error
    say(f"switches and {plan.hosts} host{'s' if plan.hosts > 1 else ''}")
    lab.up(plan.hosts)
    say("the management server")
    api = start_manager(lab, plan.port)
    public = None if plan.routers == "none" else PublicPlan(lab.public_network)
    zone = Zone(api, ZonePlan(plan.zone, lab.network, public=public))
    say(f"zone {plan.zone}")
    zone.lay_out()
    say("agents")
    authority = Authority(DataFolder(lab.cloud).agents_ca)
    for host in lab.hosts:
        token = authority.create_token(TOKEN_LASTS)
        start_agent(host, f"wss://{lab.gateway}:{AGENTS_PORT}", token, agent_settings(plan, zone.plan))
    zone.wait_for_hosts([host.name for host in lab.hosts])
    say("storage")
    zone.add_storage(lab.primary, lab.secondary)
    if plan.routers == "namespace":
        api.call("updateConfiguration", name="router.mode", value="Namespace", zoneid=zone.id)
    zone.open()
    zone.add_offering("tiny", "1 core of 500 MHz, 128 MiB", cores=1, mhz=500, memory_mib=128)
    if image is not None:
        say(f"template {plan.template}")
        _add_template(lab, zone, image, str(plan.template), "A small Linux that starts in seconds")
    if system is not None:
        say("template of system VMs")
        _add_template(lab, zone, system, "systemvm", "What routers and other system VMs are made of", system=True)
    lab.note(zone=plan.zone, template=plan.template or "")


def _add_template(lab: Lab, zone: Zone, image: Path, name: str, text: str, *, system: bool = False) -> None:
    try:
        with served(image, lab.gateway) as url:
            zone.add_template(name, url, text, system=system)
    except OSError as error:
        raise LabError(f"cannot serve {image} at {lab.gateway}: {error}") from error


def _check_port(port: int) -> None:
    """Before anything is made. Raises LabError."""
    try:
        bind(_API_ADDRESS, port).close()
    except OSError as error:
        raise LabError(f"the API cannot be at {_API_ADDRESS}, port {port}: {error.strerror}") from error


def manager_argv(lab: Lab, port: int) -> list[str]:
    """The command line of the management server."""
    return [
        CLOUDSIM,
        "serve",
        "--kind=kvm",
        f"--data={lab.cloud}",
        f"--host={_API_ADDRESS}",
        f"--port={port}",
        f"--agents-host={lab.gateway}",
        f"--agents-port={AGENTS_PORT}",
        f"--command-log={lab.logs / 'commands.jsonl'}",
    ]


def start_manager(lab: Lab, port: int) -> ApiClient:
    """Start the management server and wait until its API answers. Raises LabError with its last words."""
    lab.note(api=f"http://{_API_ADDRESS}:{port}")
    lab.start(MANAGER, manager_argv(lab, port))

    def answers() -> ApiClient | None:
        if lab.pid_of(MANAGER) is None:
            raise LabError(f"the management server ended: {_last_line(lab.logs / f'{MANAGER}.log')}")
        try:
            # Anything but silence: who may ask what is decided later.
            urllib.request.urlopen(f"http://{_API_ADDRESS}:{port}/client/api?command=listZones", timeout=5).close()
        except urllib.error.HTTPError:
            pass
        except OSError:
            return None
        try:
            return ApiClient.of_cloud(lab.cloud)
        except ApiError:
            return None

    return wait_for("starting the management server", answers, ANSWERS_WITHIN)


def restart_manager(lab: Lab) -> None:
    """Let the management server crash, and start it on what it has kept. Raises LabError or ApiError."""
    port = urlsplit(lab.notes.get("api", "")).port
    if port is None:
        raise LabError(f"lab {lab.name} has no management server")
    pid = lab.pid_of(MANAGER)
    if pid is not None:
        kill(pid)
        if not wait_until(lambda: lab.pid_of(MANAGER) is None, DIES_WITHIN):
            raise LabError(f"the management server of lab {lab.name} does not die: process {pid}")
    start_manager(lab, port)


def agent_settings(plan: CloudPlan, zone: ZonePlan) -> dict[str, object]:
    """Options of `cloudsim agent setup`. libvirt's own network is the lab's, so that migrations need no keys."""
    wanted: dict[str, object | None] = {
        "zone": zone.name,
        "pod": zone.pod,
        "cluster": zone.cluster,
        "guest-device": GUEST_DEVICE,
        "public-device": PUBLIC_DEVICE,
        "management-device": GUEST_DEVICE,
        "migration-uri": "qemu+tcp://{address}/system",
        "emulate": plan.emulate or None,
        "memory": plan.memory_mib,
        "cpus": plan.cpus,
        "wait-for-guest": plan.wait_for_guest or None,
        "system-vm-within": SYSTEM_VM_WITHIN,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _last_line(file: Path) -> str:
    lines = file.read_text(errors="replace").strip().splitlines() if file.exists() else []
    return lines[-1] if lines else f"{file} says nothing"
