"""Guest networks on a host: bridges, what joins them to other hosts, what the host serves on them, and who may say what.

The work is done by the scripts in `scripts/`, which do nothing when all is as it should be. What is kept lies in
`settings.data`/networks: bridges/ has a file for each bridge that is ours to remove, services/ a folder for each network that
this host serves. The instances themselves are in memory; `restore` is told them.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from backends.libvirt import card_rules
from backends.libvirt.broadcast_domains import (
    BroadcastDomain,
    device_of,
    domain_of,
    exists,
    hardware_address,
    mtu_of,
    ports,
)
from backends.libvirt.broadcast_domains import vlan_of_bridge as _vlan_of_bridge
from backends.libvirt.guest_services import (
    Guest,
    NetworkServices,
    Place,
    leased_at,
    served,
    service_port,
)
from backends.libvirt.host_scripts import STILL_USED, run_script
from backends.libvirt.metadata_files import user_data_of, write_private
from backends.libvirt.settings import HostSettings
from backends.systemvm.guest import metadata_server
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_POLL = 0.25  # seconds between two looks at the leases


class _Bridge(msgspec.Struct, frozen=True):
    """A bridge that is in use. `port` is "" for the operator's; `zone` is where its connections are tracked."""

    name: str
    port: str
    zone: int


class GuestNetworks:
    """The guest networks of one host. Every method may be repeated; a failure is a HypervisorError.

    Methods may run at the same time for different instances; what concerns one bridge is done one after the other.
    """

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        self._bridges = settings.data / "networks" / "bridges"
        self._services = settings.data / "networks" / "services"
        self._vms: dict[str, VmSpec] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def bridge_of(self, nic: NicSpec) -> str:
        """The bridge that the card goes into. Raises HypervisorError if there can be none."""
        return self._domain(nic).bridge

    def vlan_of_bridge(self, bridge: str) -> str | None:
        """The id of the broadcast domain that a bridge of this name carries; None if it is not of `bridge_of`'s names."""
        return _vlan_of_bridge(bridge)

    async def prepare(self, vm: VmSpec) -> dict[str, str]:
        """Make all that the instance's network cards need before it runs; returns the bridge of each NIC id.

        When it fails, an instance that was not here before leaves nothing behind.
        """
        bridges = {nic.id: self.bridge_of(nic) for nic in vm.nics}
        for nic in vm.nics:
            if served(nic):
                NetworkServices.of(nic, bridges[nic.id])
        user_data_of(vm)
        before = self._vms.get(vm.name)
        self._vms[vm.name] = vm
        try:
            for nic in vm.nics:
                await self._connect(vm, nic)
        except BaseException:
            if before is None:
                del self._vms[vm.name]
            else:
                self._vms[vm.name] = before
            new = tuple(nic for nic in vm.nics if before is None or not _has(before, nic))
            await _tried(self._release_all(vm, new))
            raise
        if before is not None:
            await self._release_all(before, tuple(nic for nic in before.nics if not _has(vm, nic)))
        return bridges

    def mtus(self, vm: VmSpec) -> dict[str, int]:
        """By NIC id, the MTU of its bridge, but not more than Ethernet's own."""
        return {nic.id: min(1500, mtu_of(self.bridge_of(nic))) for nic in vm.nics}

    async def guard(self, vm: VmSpec, taps: dict[str, str]) -> None:
        """Put the rules of each card on its tap (by MAC address): anti-spoofing, security group, rate limit.

        Cards without a tap in `taps` are left as they are. A system VM's are not guarded: it speaks for others.
        """
        by_mac = {mac.lower(): tap for mac, tap in taps.items()}
        for nic in vm.nics:
            tap = by_mac.get(nic.mac.lower())
            if tap is not None:
                zone = self._note_bridge(self._domain(nic)).zone
                if vm.system is None:
                    await card_rules.put(vm, nic, tap, self.bridge_of(nic), zone)
                else:
                    await card_rules.limit(vm, nic, tap)

    async def forget(self, vm: VmSpec) -> None:
        """The instance no longer runs here: take away what was made for it, and what nobody else uses.

        All is tried; the first failure is raised at the end.
        """
        known = self._vms.get(vm.name)
        nics = {nic.id: nic for nic in (*(known.nics if known else ()), *vm.nics)}
        self._vms.pop(vm.name, None)
        await self._release_all(vm, tuple(nics.values()))

    async def plug(self, vm: VmSpec, nic: NicSpec) -> str:
        """Prepare for one card more (`vm` has it already); returns its bridge."""
        return (await self.prepare(vm))[nic.id]

    async def unplug(self, vm: VmSpec, nic: NicSpec) -> None:
        """The card is gone (from `vm` too): take away what was made for it."""
        if vm.name in self._vms:
            others = tuple(each for each in vm.nics if each.id != nic.id)
            self._vms[vm.name] = msgspec.structs.replace(vm, nics=others)
        await self._release_all(vm, (nic,))

    async def awaited(self, nic: NicSpec, since: float, limit: float) -> bool:
        """Whether the guest took its address by DHCP since then (Unix seconds), waiting up to `limit` seconds for it.

        False at once where this host does not serve DHCP to the card.
        """
        if not served(nic) or "Dhcp" not in nic.services:
            return False
        until = time.monotonic() + limit
        while True:
            taken = leased_at(self._services / nic.network_id, nic)
            if taken is not None and taken >= int(since):
                return True
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(min(_POLL, max(0.01, until - time.monotonic())))

    async def restore(self, vms: list[VmSpec]) -> None:
        """The agent starts, and these instances run: serve and guard them as before, remove what is of no one.

        After a reboot of the host there are none, and what an earlier agent kept is removed. A network that cannot
        be restored is logged and does not keep the others from it.
        """
        self._vms = {vm.name: vm for vm in vms}
        for vm in vms:
            for nic in vm.nics:
                await _tried(self._connect(vm, nic))
            await _tried(self._guard_again(vm))
        await self._remove_leftovers()

    # one network card

    def _domain(self, nic: NicSpec) -> BroadcastDomain:
        return domain_of(nic, device_of(nic, self._settings))

    def _lock(self, bridge: str) -> asyncio.Lock:
        return self._locks.setdefault(bridge, asyncio.Lock())

    def _nics(self) -> Iterator[Guest]:
        for vm in self._vms.values():
            for nic in vm.nics:
                yield vm, nic

    def _guests(self, network_id: str) -> list[Guest]:
        return [guest for guest in self._nics() if guest[1].network_id == network_id and served(guest[1])]

    async def _connect(self, vm: VmSpec, nic: NicSpec) -> None:
        domain = self._domain(nic)
        async with self._lock(domain.bridge):
            await self._have_bridge(f"instance {vm.name}: network {nic.network_id}", domain)
            if served(nic):
                await self._serve(NetworkServices.of(nic, domain.bridge), domain)

    async def _have_bridge(self, what: str, domain: BroadcastDomain) -> None:
        made = (
            ["--port", domain.port, "--id", str(domain.id), "--device", domain.device] if domain.port else []
        )
        self._note_bridge(domain)  # first: a bridge that is made and not noted would stay for ever
        try:
            await run_script(what, "guest-bridge.sh", "add", domain.kind, "--bridge", domain.bridge, *made)
        except BaseException:
            if not exists(domain.bridge):
                self._bridge_file(domain.bridge).unlink(missing_ok=True)
            raise

    async def _serve(self, network: NetworkServices, domain: BroadcastDomain) -> None:
        """Serve the network to all its guests that are here now. Needs the bridge's lock."""
        folder = self._services / network.network_id
        what = f"network {network.network_id}"
        network.write(folder, self._guests(network.network_id), mtu_of(network.bridge), self._settings.name)
        write_private(folder / "place.json", msgspec.json.encode(network.place(domain.uplinks())))
        await self._keep_local(domain.uplinks())
        dnsmasq = ["--dnsmasq"] if {"Dhcp", "Dns"} & network.services else []
        metadata = ["--python", sys.executable, "--server", str(Path(metadata_server.__file__))]
        await run_script(
            what,
            "guest-services.sh",
            "start",
            *("--network", network.network_id, "--folder", str(folder), "--bridge", network.bridge),
            *("--port", network.port, "--mac", network.mac, "--address", network.address),
            *dnsmasq,
            *(metadata if "UserData" in network.services else []),
        )

    async def _keep_local(self, uplinks: tuple[str, ...]) -> None:
        """Have these ports hold back what the networks behind them serve on each host."""
        for uplink in uplinks:
            arguments = []
            for place in self._places():
                if uplink in place.uplinks:
                    kind = "dhcp" if place.dhcp else "none"
                    arguments += ["--service", f"{place.mac},{place.gateway},{kind}"]
            await run_script(f"device {uplink}", "security.sh", "uplink", "--port", uplink, *arguments)

    async def _release_all(self, vm: VmSpec, nics: tuple[NicSpec, ...]) -> None:
        failure: HypervisorError | None = None
        for nic in nics:
            try:
                await self._release(vm, nic)
            except HypervisorError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    async def _release(self, vm: VmSpec, nic: NicSpec) -> None:
        what = f"instance {vm.name}: card {nic.mac}"
        mac = nic.mac.lower()
        if not any(other.mac.lower() == mac for _, other in self._nics()):
            await card_rules.remove(what, mac)
        domain = self._domain(nic)
        async with self._lock(domain.bridge):
            if served(nic):
                await self._serve_fewer(NetworkServices.of(nic, domain.bridge), domain)
            await self._drop_bridge(domain.bridge)

    async def _serve_fewer(self, network: NetworkServices, domain: BroadcastDomain) -> None:
        guests = self._guests(network.network_id)
        if guests:
            await self._serve(NetworkServices.of(guests[-1][1], domain.bridge), domain)
        elif (self._services / network.network_id).exists():
            await self._stop_serving(network.network_id)

    # what nobody uses any more

    async def _stop_serving(self, network_id: str) -> None:
        """Needs the lock of the network's bridge."""
        folder = self._services / network_id
        place = _read(folder / "place.json", Place)
        what = f"network {network_id}"
        await run_script(
            what,
            "guest-services.sh",
            "stop",
            *("--network", network_id, "--folder", str(folder), "--port", service_port(network_id)),
        )
        shutil.rmtree(folder, ignore_errors=True)
        if place is not None:
            await self._keep_local(place.uplinks)

    async def _drop_bridge(self, bridge: str) -> None:
        """Remove the bridge if it is ours and no card is in it. Needs its lock."""
        noted = _read(self._bridge_file(bridge), _Bridge)
        if noted is None or any(_in(bridge, nic, self._settings) for _, nic in self._nics()):
            return
        if noted.port:
            code, _ = await run_script(
                f"bridge {bridge}", "guest-bridge.sh", "delete", "--bridge", bridge, "--port", noted.port
            )
            if code == STILL_USED:
                log.warning("bridge %s stays: there are still %s in it", bridge, ", ".join(ports(bridge)))
                return
        self._bridge_file(bridge).unlink(missing_ok=True)

    async def _remove_leftovers(self) -> None:
        used = {nic.network_id for _, nic in self._nics() if served(nic)}
        for folder in sorted(self._services.glob("*/")):
            if folder.name not in used:
                place = _read(folder / "place.json", Place)
                async with self._lock(place.bridge if place is not None else ""):
                    await _tried(self._stop_serving(folder.name))
        for file in sorted(self._bridges.glob("*.json")):
            async with self._lock(file.stem):
                await _tried(self._drop_bridge(file.stem))
        macs = {nic.mac.lower() for _, nic in self._nics()}
        await _tried(card_rules.remove_all_but(macs))

    async def _guard_again(self, vm: VmSpec) -> None:
        """libvirt gives a tap its guest's MAC address, but for the first byte."""
        taps = {}
        for nic in vm.nics:
            for port in ports(self.bridge_of(nic)):
                if hardware_address(port) == "fe" + nic.mac.lower()[2:]:
                    taps[nic.mac] = port
        await self.guard(vm, taps)

    # what is kept

    def _bridge_file(self, bridge: str) -> Path:
        return self._bridges / f"{bridge}.json"

    def _note_bridge(self, domain: BroadcastDomain) -> _Bridge:
        """The note on the bridge; a new one gets a connection tracking zone that no other bridge has."""
        path = self._bridge_file(domain.bridge)
        noted = _read(path, _Bridge)
        if noted is not None and noted.port == domain.port:
            return noted
        found = [_read(each, _Bridge) for each in self._bridges.glob("*.json")]
        taken = {each.zone for each in found if each is not None}
        noted = _Bridge(
            domain.bridge, domain.port, next(zone for zone in range(1, 65536) if zone not in taken)
        )
        self._bridges.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, msgspec.json.encode(noted))
        return noted

    def _places(self) -> list[Place]:
        found = [_read(path, Place) for path in sorted(self._services.glob("*/place.json"))]
        return [place for place in found if place is not None]


def _has(vm: VmSpec, nic: NicSpec) -> bool:
    return any(
        (other.mac, other.network_id, other.vlan, other.isolation)
        == (nic.mac, nic.network_id, nic.vlan, nic.isolation)
        for other in vm.nics
    )


def _in(bridge: str, nic: NicSpec, settings: HostSettings) -> bool:
    try:
        return domain_of(nic, device_of(nic, settings)).bridge == bridge
    except HypervisorError:
        return False


def _read(path: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


async def _tried(work: Awaitable[None]) -> None:
    try:
        await work
    except HypervisorError as error:
        log.warning("%s", error)
