"""What a system VM is told by its host as it boots: who it is, its cards, and what it serves.

A router is told its networks by the manager afterwards; until then its cards are down.
"""

from __future__ import annotations

import ipaddress
import json

from backends.systemvm.plan import (
    CONTROL,
    ROOT,
    STORES,
    Interface,
    Mount,
    Plan,
    PlannedRoute,
    PlannedRule,
    Service,
    interface_name,
)
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

ROUTERS = frozenset({"router", "vpcrouter", "ilb"})
PAGES = "/opt/cloudsim/pages"
"""Where the image has the console's pages."""
CONSOLE_PORT = 8080
STORE_PORTS = (80, 443)
_INSIDE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Where hosts and storage may be (RFC 1918): behind the management network's gateway, as CloudStack has it."""
_FIRST_TABLE, _FIRST_PRIORITY = 100, 1000
_RESOLVER = f"{ROOT}/resolv.conf"


def plan_of(vm: VmSpec, mtus: dict[str, int]) -> Plan:
    """`mtus` of its cards, by id. Raises HypervisorError for what no machine can be told."""
    assert vm.system is not None
    hostname = vm.hostname or vm.name
    if vm.system.role in ROUTERS:
        return Plan(hostname=hostname, role=vm.system.role)
    nics = [nic for nic in vm.nics if nic.ip is not None and nic.netmask is not None]
    routes, rules = _ways(vm, nics)
    return Plan(
        hostname=hostname,
        role=vm.system.role,
        interfaces=tuple(Interface(nic.mac, (_address(vm, nic),), mtus.get(nic.id, 1500)) for nic in nics),
        routes=tuple(routes),
        rules=tuple(rules),
        nft=_filter(nics, vm.system.role),
        files=_files(vm, nics),
        mounts=tuple(Mount(tag, folder) for tag, folder in stores_of(vm).values()),
        services=(_service(vm.system.role),),
    )


def stores_of(vm: VmSpec) -> dict[str, tuple[str, str]]:
    """URL of each image store that the machine is to reach: the tag of the shared folder, and where it mounts it."""
    stores = vm.system.stores if vm.system is not None else ()
    return {url: (f"store{number}", f"/run/stores/{number}") for number, url in enumerate(stores)}


def _service(role: str) -> Service:
    command = ("python", "-m", f"backends.systemvm.{role}", "--control", f"{CONTROL}/{role}")
    if role == "consoleproxy":
        return Service(role, (*command, "--pages", PAGES))
    return Service(role, (*command, "--stores", STORES), restart_on=(STORES,))


def _files(vm: VmSpec, nics: list[NicSpec]) -> dict[str, str]:
    servers = dict.fromkeys(server for nic in nics for server in nic.dns)
    files = {_RESOLVER: "".join(f"nameserver {server}\n" for server in servers)}
    if vm.system is not None and vm.system.role == "secstorage":
        folders = {url: folder for url, (_, folder) in stores_of(vm).items()}
        files[STORES] = json.dumps(folders, indent=1, sort_keys=True) + "\n"
    return files


def _address(vm: VmSpec, nic: NicSpec) -> str:
    try:
        return str(ipaddress.IPv4Interface(f"{nic.ip}/{nic.netmask}"))
    except ValueError as error:
        raise HypervisorError(f"system VM {vm.name}: card {nic.mac}: {error}") from None


def _ways(vm: VmSpec, nics: list[NicSpec]) -> tuple[list[PlannedRoute], list[PlannedRule]]:
    """Out by the public network; to hosts and storage by the management network. Answers leave by where they came in."""
    routes, rules = [], []
    outside = next((nic for nic in nics if nic.traffic == "Public"), nics[0] if nics else None)
    for number, nic in enumerate(nics):
        if not nic.gateway:
            continue
        table = _FIRST_TABLE + number
        routes.append(PlannedRoute("0.0.0.0/0", nic.gateway, nic.mac, table))
        rules.append(PlannedRule(_FIRST_PRIORITY + number, table, source=f"{nic.ip}/32"))
        if nic is outside:
            routes.append(PlannedRoute("0.0.0.0/0", nic.gateway, nic.mac))
        elif nic.traffic == "Management":
            routes += [PlannedRoute(cidr, nic.gateway, nic.mac) for cidr in _INSIDE]
    # What is on a card's own network is there, whatever the tables by source say.
    for nic in nics:
        network = ipaddress.IPv4Interface(_address(vm, nic)).network
        routes += [
            PlannedRoute(str(network), "", nic.mac, _FIRST_TABLE + other)
            for other in range(len(nics))
            if nics[other].gateway
        ]
    return routes, rules


def _filter(nics: list[NicSpec], role: str) -> str:
    """From outside only what it serves can be reached."""
    ports = ", ".join(map(str, (CONSOLE_PORT, *STORE_PORTS) if role == "consoleproxy" else STORE_PORTS))
    public = [interface_name(nic.mac) for nic in nics if nic.traffic == "Public"]
    lines = ["ct state { established, related } accept", "meta l4proto icmp accept"]
    lines += [
        f'iifname "{name}" tcp dport {{ {ports} }} accept\n\t\tiifname "{name}" drop' for name in public
    ]
    table = "table ip appliance"
    body = "".join(f"\t\t{line}\n" for line in lines)
    chain = f"\tchain arriving {{\n\t\ttype filter hook input priority filter; policy accept;\n{body}\t}}"
    return f"{table}\ndelete {table}\n{table} {{\n{chain}\n}}\n"
