"""A running instance's security rules are put on its tap and kept, whatever libvirt is. (On real bridges: test_networks.)"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from backends.libvirt.connection import NoSuchInstance
from backends.libvirt.devices import Devices
from backends.libvirt.settings import HostSettings
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, SecurityRule, VmSpec

NAME = "i-2-1-VM"
FIRST = NicSpec("nic-1", "02:00:00:00:00:0A", "net-1", ip="10.1.1.10", rules=())
SECOND = NicSpec("nic-2", "02:00:00:00:00:0B", "net-2", device=1, ip="10.2.2.10", rules=())
VM = VmSpec(name=NAME, id="1", cpus=1, cpu_mhz=0, memory_mib=32, nics=(FIRST, SECOND))
XML = """<domain><devices>
<interface type='bridge'><mac address='02:00:00:00:00:0a'/><target dev='vnet0'/></interface>
<interface type='bridge'><mac address='02:00:00:00:00:0b'/><target dev='vnet1'/></interface>
</devices></domain>"""
RULES = (SecurityRule(True, "tcp", "10.0.0.0/8", 22, 23), SecurityRule(False, "icmp", "0.0.0.0/0", 8, 0))


class Networks:
    """Notes what is guarded how. `failing`: the host cannot."""

    def __init__(self) -> None:
        self.guarded: list[tuple[dict[str, str], tuple[SecurityRule, ...] | None]] = []
        self.failing = False

    async def guard(self, vm: VmSpec, taps: dict[str, str]) -> None:
        if self.failing:
            raise HypervisorError("nft failed")
        for nic in vm.nics:
            if nic.mac in taps:
                self.guarded.append((taps, nic.rules))


class Connection:
    """A libvirt with one domain, while it runs."""

    runs = True

    async def domain_call(self, name: str, what: str, call: Any, limit: float | None = None) -> Any:
        if not self.runs:
            raise NoSuchInstance(f"{what}: instance {name} is not on this host")

        class Domain:
            def XMLDesc(self, flags: int) -> str:
                return XML

        return call(Domain())


@pytest.fixture
def host(tmp_path: Path) -> Any:
    made: Any = Devices(HostSettings(name="host-1", guid="g", data=tmp_path / "agent", private_ip="192.0.2.1"))
    made.networks, made.connection = Networks(), Connection()
    made.kept.put(VM)
    return made


def put(host: Any, nic_id: str, rules: tuple[SecurityRule, ...] | None, name: str = NAME) -> None:
    asyncio.run(host.set_security_rules(name, nic_id, rules))


def test_only_the_card_that_is_meant_gets_the_rules(host: Any) -> None:
    put(host, "nic-2", RULES)
    assert host.networks.guarded == [({SECOND.mac: "vnet1"}, RULES)]
    assert host.kept.get(NAME) == replace(VM, nics=(FIRST, replace(SECOND, rules=RULES)))
    put(host, "nic-2", None)
    assert host.networks.guarded[1] == ({SECOND.mac: "vnet1"}, None)


def test_what_does_not_run_here_needs_no_rules(host: Any) -> None:
    put(host, "nic-1", RULES, "i-9-9-VM")
    put(host, "nic-9", RULES)
    host.connection.runs = False
    put(host, "nic-1", RULES)
    assert host.networks.guarded == [] and host.kept.get(NAME) == VM


def test_rules_that_cannot_be_put_in_force_are_not_kept(host: Any) -> None:
    host.networks.failing = True
    with pytest.raises(HypervisorError, match="nft failed"):
        put(host, "nic-1", RULES)
    assert host.kept.get(NAME) == VM
