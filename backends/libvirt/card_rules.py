"""The rules on one network card of an instance: anti-spoofing, its security group, its rate limit."""

from __future__ import annotations

from pathlib import Path

from backends.libvirt.broadcast_domains import exists
from backends.libvirt.guest_services import METADATA_ADDRESS
from backends.libvirt.host_scripts import run_script
from cloudsim.protocol.specs import NicSpec, SecurityRule, VmSpec


async def put(vm: VmSpec, nic: NicSpec, tap: str, bridge: str, zone: int) -> None:
    """Have exactly the card's rules on its tap. `zone` is the bridge's own, for tracking connections."""
    what, mac = f"instance {vm.name}: card {nic.mac}", nic.mac.lower()
    arguments = ["--tap", tap, "--mac", mac]
    addresses = dict.fromkeys((nic.ip, *nic.secondary_ips)) if nic.ip is not None else {}
    for address in addresses:
        arguments += ["--address", str(address)]
    if nic.vlan is None:
        arguments.append("--untagged")  # on an operator's bridge a tag may lead into a VLAN
    if nic.rules is not None and addresses:
        arguments += ["--bridge", bridge, "--zone", str(zone), *_group(nic)]
    await run_script(what, "security.sh", "guard", *arguments)
    await limit(vm, nic, tap)


async def limit(vm: VmSpec, nic: NicSpec, tap: str) -> None:
    """Have the card's rate limit, and nothing else, on its tap."""
    what, mac = f"instance {vm.name}: card {nic.mac}", nic.mac.lower()
    if nic.rate_mbit is not None and nic.rate_mbit > 0:
        rate = str(nic.rate_mbit)
        await run_script(what, "shaping.sh", "set", "--mac", mac, "--tap", tap, "--rate", rate)
    elif exists(_shaper(mac)):
        await run_script(what, "shaping.sh", "clear", "--mac", mac, "--tap", tap)


async def remove(what: str, mac: str) -> None:
    """Take the card's rules away; its tap may be gone or another's by now."""
    await run_script(what, "security.sh", "forget", "--mac", mac)
    if exists(_shaper(mac)):
        await run_script(what, "shaping.sh", "clear", "--mac", mac)


async def remove_all_but(macs: set[str]) -> None:
    """Take the rules of all other cards away."""
    _, listed = await run_script("this host", "security.sh", "list")
    for mac in sorted({*listed.split(), *_shaped()} - macs):
        await remove(f"card {mac}", mac)


def _group(nic: NicSpec) -> list[str]:
    arguments = []
    for gateway in (nic.gateway, METADATA_ADDRESS):
        if gateway is not None:
            arguments += ["--gateway", gateway]
    for rule in nic.rules or ():
        arguments += ["--ingress" if rule.ingress else "--egress", _text(rule)]
    return arguments


def _text(rule: SecurityRule) -> str:
    return f"{rule.protocol},{rule.first},{rule.last},{rule.cidr}"


def _shaper(mac: str) -> str:
    """The device through which goes what the guest sends, as shaping.sh names it."""
    return "ifb" + mac.replace(":", "")


def _shaped() -> list[str]:
    found = [each.name.removeprefix("ifb") for each in Path("/sys/class/net").glob("ifb" + "[0-9a-f]" * 12)]
    return [":".join(digits[at : at + 2] for at in range(0, 12, 2)) for digits in found]
