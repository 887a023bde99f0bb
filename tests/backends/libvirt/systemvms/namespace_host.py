"""A host alone in its namespaces, without libvirt: runs what a test says on routers that are namespaces, and prints it.

Run as a file, as the first process of new network, mount and process namespaces, with a folder as its argument. What
it prints is JSON, a line for each step.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from backends.libvirt.connection import NoSuchInstance
from backends.libvirt.hypervisor import LibvirtHypervisor
from backends.libvirt.settings import HostSettings
from backends.systemvm.plan import interface_name
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.router import GuestNetworkConfiguration, PublicAddress, RouterConfiguration
from cloudsim.protocol.specs import NicSpec, SystemVmSpec, VmSpec
from cloudsim.protocol.systemvm import ConfigureRouter, Ping, RouterStatistics, RunDiagnostics

NAME = "r-4-VM"
GUEST = NicSpec("n0", "02:00:00:00:00:01", "net-1", 0, "10.1.1.1", "255.255.255.0", "10.1.1.1", default=False)
PUBLIC = NicSpec("n1", "02:00:00:00:00:02", "public", 1, "198.51.100.7", "255.255.255.0", traffic="Public")
TIER = NicSpec("n2", "02:00:00:00:00:03", "net-2", 2, "10.1.2.1", "255.255.255.0", "10.1.2.1", default=False)
ROUTER = VmSpec(NAME, "id-4", 1, 500, 128, nics=(GUEST, PUBLIC), system=SystemVmSpec("router", "Namespace"))


def configuration(*nics: NicSpec) -> RouterConfiguration:
    return RouterConfiguration(
        name=NAME,
        public=(PublicAddress("198.51.100.7", "255.255.255.0", "198.51.100.1", PUBLIC.mac, source_nat=True),),
        guests=tuple(
            GuestNetworkConfiguration(nic.network_id, nic.mac, str(nic.ip), str(nic.ip), "255.255.255.0") for nic in nics
        ),
    )


class NoLibvirt:
    """A libvirt without domains."""

    async def call(self, what: str, function: Callable[..., Any], limit: float = 0.0) -> Any:
        return {}

    async def domain_call(self, name: str, what: str, *more: Any) -> Any:
        raise NoSuchInstance(f"{what}: there is no instance {name}")


def host(data: Path) -> LibvirtHypervisor:
    found = LibvirtHypervisor(
        HostSettings(name="h1", guid="g", data=data, private_ip="192.0.2.1", public_device="cloudbr1")
    )
    found.connection = NoLibvirt()  # type: ignore[assignment]
    return found


def run(command: str) -> str:
    return subprocess.run(command.split(), capture_output=True, text=True).stdout


def traces() -> dict[str, Any]:
    """What there is of routers on the host."""
    links = {entry["ifname"]: entry.get("master") for entry in json.loads(run("ip -j link show"))}
    processes = [line for line in run("ps -e -ww -o args=").splitlines() if "systemvm.guest" in line]
    return {
        "spaces": sorted(os.listdir("/run/netns")),
        "ports": {name: master for name, master in links.items() if name.startswith("vnr")},
        "processes": len(processes),
    }


def first_process(data: Path) -> int:
    return int((data / "namespaces" / NAME / "process").read_text().split()[0])


def wait_until_gone() -> None:
    while traces()["processes"]:
        time.sleep(0.02)


def left_of(data: Path) -> list[str]:
    """Files that are named after the router."""
    return [str(path.relative_to(data)) for path in data.rglob("*") if NAME in path.name]


async def steps(data: Path) -> None:
    def tell(step: str, found: Any) -> None:
        print(json.dumps({"step": step, "found": msgspec.to_builtins(found)}), flush=True)

    for command in ("link set lo up", "link add cloudbr0 type bridge", "link add cloudbr1 type bridge"):
        run(f"ip {command}")
    for bridge in ("cloudbr0", "cloudbr1"):
        run(f"ip link set {bridge} up")
    run("ip address add 198.51.100.1/24 dev cloudbr1")
    agent = host(data)
    tell("started", await agent.start_vm(ROUTER))
    tell("ping", await agent.ask_system_vm(NAME, Ping()))
    tell("configured", await agent.ask_system_vm(NAME, ConfigureRouter(number=5, configuration=configuration(GUEST))))
    tell("older", await agent.ask_system_vm(NAME, ConfigureRouter(number=4, configuration=configuration(GUEST))))
    ping = RunDiagnostics(tool="ping", address="198.51.100.1", parameters=("-c", "1"))
    tell("reached", (await agent.ask_system_vm(NAME, ping)).exit_code)  # type: ignore[union-attr]
    tell("traces", traces())
    tell("again", await agent.start_vm(ROUTER))

    await agent.close_channels()
    agent = host(data)  # another agent, after the first was killed
    tell("states", await agent.vm_states())
    tell("number", (await agent.ask_system_vm(NAME, RouterStatistics())).number)  # type: ignore[union-attr]
    await agent.plug_nic(NAME, TIER)
    await agent.plug_nic(NAME, TIER)
    wider = ConfigureRouter(number=6, configuration=configuration(GUEST, TIER))
    tell("plugged", await agent.ask_system_vm(NAME, wider))
    tell("tier", run(f"ip -n {NAME} -br -4 address show dev {interface_name(TIER.mac)}").split())
    await agent.ask_system_vm(NAME, ConfigureRouter(number=7, configuration=configuration(GUEST)))
    await agent.unplug_nic(NAME, TIER)
    await agent.unplug_nic(NAME, TIER)
    tell("unplugged", traces())
    (measured,) = await agent.vm_statistics(())
    tell("measured", [measured.name, measured.memory_mib > 0])
    for refused in (agent.suspend_vm(NAME), agent.migrate_vm(NAME, "192.0.2.2", False), agent.console(NAME)):
        try:
            await refused
        except HypervisorError as error:
            tell("refused", str(error))
    await agent.reboot_vm(NAME, False)
    tell("rebooted", (await agent.ask_system_vm(NAME, RouterStatistics())).number)  # type: ignore[union-attr]

    os.kill(first_process(data), signal.SIGKILL)
    wait_until_gone()
    tell("killed", await agent.vm_states())
    tell("cleared", traces())
    await agent.start_vm(ROUTER)
    await agent.stop_vm(NAME, False)
    await agent.stop_vm(NAME, True)
    tell("stopped", traces())
    tell("left", left_of(data))
    await agent.close_channels()


if __name__ == "__main__":
    asyncio.run(steps(Path(sys.argv[1])))
