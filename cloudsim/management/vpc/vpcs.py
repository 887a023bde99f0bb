"""VPCs: made, changed, restarted with their router, and removed with all that is theirs."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.limits import Limits
from cloudsim.management.network.address_ranges import check_address
from cloudsim.management.network.mtus import check_mtu
from cloudsim.management.network.network_requests import PRIVATE, checked_domain
from cloudsim.management.network.public_ipv6 import PublicIpv6s
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpc.routing import Addresses, VpcRouting
from cloudsim.management.vpc.vpc_offerings import PROVIDED
from cloudsim.model import Account, Network, PublicIp, Vpc, VpcOffering, Zone

log = logging.getLogger(__name__)


class VpcRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a new VPC is to be. `cidr` is kept as it is written, such as 10.10.1.0/16."""

    name: str
    cidr: str
    display_text: str | None = None
    network_domain: str | None = None
    display: bool = True
    public_mtu: int | None = None
    dns1: str | None = None
    dns2: str | None = None
    source_nat_ip: str | None = None
    """The public address that its instances are seen as outside; one is chosen when it starts."""


class Vpcs:
    """The VPCs of one cloud. A VPC's router is asked for by `start`, or by the first instance on a tier of it."""

    def __init__(
        self,
        foundation: Foundation,
        limits: Limits,
        routing: VpcRouting,
        addresses: Addresses,
        public6: PublicIpv6s,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._limits = limits
        self._routing = routing
        self._addresses = addresses
        self._public6 = public6
        self._table = foundation.table(Vpc)
        self._networks = foundation.table(Network)
        self._ips = foundation.table(PublicIp)
        self._randomness = foundation.randomness.branch("vpcs")
        self.on_delete: list[Callable[[Vpc], None]] = []
        """Called in the transaction that removes a VPC, to remove what is part of it."""
        limits.counters["vpc"] = lambda store, owner: store.table(Vpc).count("account_id", owner)

    # making

    def create(
        self, caller: Caller, owner: Account, zone: Zone, offering: VpcOffering, request: VpcRequest
    ) -> Vpc:
        """A VPC without tiers, whose router does not run yet. Raises what stands against it."""
        self._check_offering(caller, zone, offering, owner.domain_id)
        if not request.name.strip():
            raise InvalidParameterValue("A VPC needs a name")
        check_super_cidr(request.cidr)
        domain = self._network_domain(owner, zone, request.network_domain)
        check_mtu(self._foundation.settings, zone.id, "publicmtu", request.public_mtu)
        dns = [
            None if text is None else check_address(text, name)
            for name, text in (("dns1", request.dns1), ("dns2", request.dns2))
        ]
        if dns[1] is not None and dns[0] is None:
            raise InvalidParameterValue("dns2 needs a dns1")
        dual_stack = offering.internet_protocol == "DualStack"
        if dual_stack:
            self._public6.check_free(owner, zone)
        self._limits.check(owner, "vpc")
        with self._store.transaction():
            vpc = self._table.insert(
                Vpc(
                    id=self._randomness.uuid(),
                    name=request.name,
                    display_text=request.display_text or request.name,
                    zone_id=zone.id,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    vpc_offering_id=offering.id,
                    cidr=request.cidr.strip(),
                    network_domain=domain,
                    display=request.display,
                    public_mtu=request.public_mtu,
                    dns1=dns[0],
                    dns2=dns[1],
                    created=self._foundation.now(),
                )
            )
            if dual_stack:
                self._public6.take(owner, zone, vpc=vpc)
            if request.source_nat_ip is not None:
                self._addresses.acquire(owner, zone, vpc=vpc, wanted=request.source_nat_ip, source_nat=True)
        return vpc

    def _check_offering(self, caller: Caller, zone: Zone, offering: VpcOffering, domain_id: str) -> None:
        if offering.state != "Enabled":
            raise InvalidParameterValue(
                f"Unable to find vpc offering in Enabled state: {offering.name} is {offering.state}"
            )
        if offering.zone_ids and zone.id not in offering.zone_ids:
            raise InvalidParameterValue(f"VPC offering {offering.name} is not available in zone {zone.name}")
        if not visibility.offered_to(self._store, offering, domain_id):
            raise PermissionDenied(f"VPC offering {offering.name} is not offered to the owner's domain")
        if zone.network_type != "Advanced":
            raise InvalidParameterValue(f"VPCs are for Advanced zones; zone {zone.name} is {zone.network_type}")
        if zone.allocation_state == "Disabled" and not caller.is_root_admin:
            raise PermissionDenied(f"Cannot perform this operation, Zone is currently disabled: {zone.name}")
        if offering.distributed_router or offering.region_level:
            raise InvalidParameterValue(
                f"VPC offering {offering.name} is for distributed routers or VPCs of a whole region, and there are none"
            )
        for service, providers in offering.services.items():
            for provider in providers:
                if provider not in PROVIDED:
                    raise InvalidParameterValue(
                        f"Provider {provider} of service {service} is not enabled for VPCs in zone {zone.name}"
                    )

    def _network_domain(self, owner: Account, zone: Zone, given: str | None) -> str:
        if given is not None:
            return checked_domain(given)
        suffix = self._foundation.settings.get("guest.domain.suffix", "Zone", zone.id)
        return owner.network_domain or zone.domain or suffix

    async def start(self, vpc_id: str) -> Vpc:
        """Have its router run."""
        await self._routing.ensure_vpc(vpc_id)
        with self._store.transaction():
            return self._table.update(vpc_id, started=True)

    async def start_new(self, vpc_id: str) -> Vpc:
        """Start a VPC that has just been made; one that cannot be started is removed again, and the reason raised."""
        try:
            return await self.start(vpc_id)
        except CloudError:
            await self.delete(vpc_id)
            raise

    # changing

    def check_update(
        self,
        vpc: Vpc,
        *,
        name: str | None = None,
        display_text: str | None = None,
        display: bool | None = None,
        public_mtu: int | None = None,
    ) -> dict[str, Any]:
        """The fields to change. Raises InvalidParameterValue."""
        if name is not None and not name.strip():
            raise InvalidParameterValue("A VPC needs a name")
        check_mtu(self._foundation.settings, vpc.zone_id, "publicmtu", public_mtu)
        asked = {"name": name, "display_text": display_text, "display": display, "public_mtu": public_mtu}
        return {field: value for field, value in asked.items() if value is not None}

    async def update(self, vpc_id: str, changes: dict[str, Any]) -> Vpc:
        """Make the changes that `check_update` has allowed."""
        with self._store.transaction():
            vpc = self._table.update(vpc_id, **changes)
        if "public_mtu" in changes:
            await self._routing.sync_vpc(vpc_id)
        return vpc

    def check_restart(self, vpc: Vpc, *, redundant: bool) -> None:
        """Raise what stands against restarting the VPC."""
        check_enabled(vpc)
        if redundant:
            raise InvalidParameterValue(
                "makeredundant is not supported: one router serves each VPC, and is replaced when it fails"
            )

    async def restart(self, vpc_id: str, *, cleanup: bool) -> Vpc:
        """Have its router do anew what the rows say; with `cleanup`, a new router."""
        await self._routing.restart_vpc(self._table[vpc_id], cleanup=cleanup)
        with self._store.transaction():
            return self._table.update(vpc_id, started=True, restart_required=False)

    # removing

    def check_deletable(self, vpc: Vpc) -> None:
        """Raise what stands against deleting the VPC."""
        tiers = self._networks.count("vpc_id", vpc.id)
        if tiers:
            raise InvalidParameterValue(f"Can't delete VPC {vpc.name} as its used by {tiers} networks")

    async def delete(self, vpc_id: str) -> None:
        """Remove the VPC, its router, gateways, lists and public addresses. A failure leaves it Inactive, to repeat."""
        self.check_deletable(self._table[vpc_id])
        with self._store.transaction():
            self._table.update(vpc_id, state="Inactive")
        await self._routing.remove_vpc_router(vpc_id)
        with self._store.transaction():
            self._delete_rows(self._table[vpc_id])

    def _delete_rows(self, vpc: Vpc) -> None:
        for hook in self.on_delete:
            hook(vpc)
        self._public6.release_vpc(vpc)
        self._addresses.release_all(self._ips.where("vpc_id", vpc.id))
        remove_leftovers(self._foundation, vpc.id)
        self._table.delete(vpc.id)

    async def delete_of(self, account: Account) -> None:
        """Remove all VPCs of an account, whose networks are gone."""
        for vpc in self._table.where("account_id", account.id):
            await self.delete(vpc.id)

    async def clean_up(self) -> None:
        """Delete what is left of VPCs whose deletion failed, or was cut short. To be called every vpc.cleanup.interval."""
        for vpc in [each for each in self._table if each.state == "Inactive"]:
            try:
                await self.delete(vpc.id)
            except CloudError as error:
                log.warning("VPC %s is still there: %s", vpc.name, error)


def super_cidr(vpc: Vpc) -> ipaddress.IPv4Network:
    """The network that the tiers of a VPC are in."""
    return ipaddress.IPv4Network(vpc.cidr, strict=False)


def check_super_cidr(text: str) -> ipaddress.IPv4Network:
    """The CIDR of a VPC as a network. Raises InvalidParameterValue."""
    try:
        if "/" not in text:
            raise ValueError(text)
        net = ipaddress.IPv4Network(text.strip(), strict=False)
    except ValueError:
        raise InvalidParameterValue(f"Invalid format for cidr {text}; it is a network such as 10.1.0.0/16") from None
    if not any(net.subnet_of(private) for private in PRIVATE):
        raise InvalidParameterValue(f"Virtual Guest Cidr {text} is not RFC 1918 or 6598 compliant")
    if not 8 <= net.prefixlen <= 29:
        raise InvalidParameterValue(f"The prefix of VPC cidr {text} must be from 8 to 29")
    return net


def check_enabled(vpc: Vpc) -> None:
    """Raise InvalidParameterValue unless things can be added to the VPC."""
    if vpc.state != "Enabled":
        raise InvalidParameterValue(f"Unable to find Enabled VPC: VPC {vpc.name} is {vpc.state}")
