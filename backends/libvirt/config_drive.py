"""The config drive: an ISO that tells an instance about itself, in OpenStack's layout and in CloudStack's."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from backends.libvirt.guest_services import host_name_of
from backends.libvirt.metadata_files import metadata_of, user_data_of
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

LABEL = "config-2"
_TIME = 315_532_800  # 1980-01-01, of all files: the same instance always gets the same ISO
_LIMIT = 30.0


async def config_drive(vm: VmSpec, folder: Path) -> Path:
    """Write `folder`/<instance>-config.iso anew, readable by its owner only, and return its path.

    Raises HypervisorError if there is no program for that here (xorriso or genisoimage), or it fails.
    """
    files = config_files(vm)
    program = shutil.which("xorriso") or shutil.which("genisoimage")
    if program is None:
        raise HypervisorError(
            f"instance {vm.name}: its config drive needs xorriso or genisoimage on the host"
        )
    work = _lay_out(folder, files)
    try:
        mode = ["-as", "mkisofs"] if program.endswith("xorriso") else []
        options = ["-quiet", "-J", "-r", "-V", LABEL, "-o", str(work / "iso"), str(work / "content")]
        await _run(f"instance {vm.name}: its config drive", program, *mode, *options)
        return _publish(work / "iso", folder / f"{vm.name}-config.iso")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def config_files(vm: VmSpec) -> dict[str, bytes]:
    """The content by path. A file without content is not there."""
    user_data = user_data_of(vm)
    nic = next((each for each in vm.nics if each.default), vm.nics[0] if vm.nics else None)
    values = metadata_of(vm, nic)
    openstack = "openstack/latest/"
    files = {
        openstack + "meta_data.json": _json(_instance(vm, values)),
        openstack + "network_data.json": _json(_network(vm)),
        openstack + "vendor_data.json": _json({}),
        openstack + "user_data": user_data or b"",
        "cloudstack/userdata/user_data.txt": user_data or b"",
        "cloudstack/password/vm_password.txt": (vm.password or "").encode(),
    }
    for name, value in values.items():
        files[f"cloudstack/metadata/{name}.txt"] = value.encode()
    return {path: content for path, content in files.items() if content}


def _instance(vm: VmSpec, values: dict[str, str]) -> dict[str, Any]:
    names = {f"key-{number}": key for number, key in enumerate(vm.public_keys)}
    found: dict[str, Any] = {
        "uuid": vm.id,
        "name": vm.name,
        "hostname": host_name_of(vm),
        "local-hostname": vm.hostname or vm.name,
        "instance-id": values["instance-id"],
        "availability_zone": values["availability-zone"],
        "launch_index": 0,
        "public_keys": names,
        "keys": [{"name": name, "type": "ssh", "data": key} for name, key in names.items()],
        "meta": dict(vm.metadata),
    }
    if vm.password:
        found["admin_pass"] = vm.password
    return found


def _network(vm: VmSpec) -> dict[str, Any]:
    """As OpenStack describes them: a link for each card, on it the network's address, or DHCP where there is none."""
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    servers: dict[str, None] = {}
    for nic in sorted(vm.nics, key=lambda each: each.device):
        link = f"eth{nic.device}"
        links.append({"id": link, "name": link, "type": "phy", "ethernet_mac_address": nic.mac, "mtu": None})
        networks.append(_address(nic, link))
        if nic.default:
            servers.update(dict.fromkeys(nic.dns))
    services = [{"type": "dns", "address": address} for address in servers]
    return {"links": links, "networks": networks, "services": services}


def _address(nic: NicSpec, link: str) -> dict[str, Any]:
    network: dict[str, Any] = {"id": f"network{nic.device}", "link": link, "network_id": nic.network_id}
    if nic.ip is None or nic.netmask is None:
        return network | {"type": "ipv4_dhcp"}
    network |= {"type": "ipv4", "ip_address": nic.ip, "netmask": nic.netmask, "routes": []}
    if nic.gateway is not None:
        ipaddress.IPv4Address(nic.gateway)
        if nic.default:
            network["gateway"] = nic.gateway
            network["routes"] = [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": nic.gateway}]
    return network


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode()


def _lay_out(folder: Path, files: dict[str, bytes]) -> Path:
    """Returns a new private folder in `folder`, with the files in its folder `content`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".config-", dir=folder))
    for name, data in files.items():
        path = work / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for each in (*(work / "content").rglob("*"), work / "content"):
        os.utime(each, (_TIME, _TIME))
    return work


def _publish(iso: Path, path: Path) -> Path:
    iso.chmod(0o600)
    return iso.rename(path)


async def _run(what: str, *command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(_TIME)},
    )
    try:
        async with asyncio.timeout(_LIMIT):
            _, errors = await process.communicate()
    except TimeoutError:
        raise HypervisorError(f"{what}: not ready within {_LIMIT:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise HypervisorError(f"{what}: {' '.join(errors.decode(errors='replace').split())}")
