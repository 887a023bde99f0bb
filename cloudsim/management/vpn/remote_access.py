"""Remote access VPN: users who dial in to a network or VPC, through a public address of it."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Protocol

from cloudsim.errors import InvalidParameterValue, RuleConflict
from cloudsim.management.compute.vm_passwords import generate
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import VPN_PORTS, AddressUse
from cloudsim.management.network.network_requests import PRIVATE
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpc.vpcs import super_cidr
from cloudsim.management.vpn.routing import VpnRouting
from cloudsim.model import (
    Account,
    FirewallRule,
    Network,
    NetworkOffering,
    PublicIp,
    RemoteAccessVpn,
    Vpc,
    VpcOffering,
    VpnUser,
)

USER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9@._-]{1,62}\Z")
PASSWORD = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9@+=._-]{2,31}\Z")
LONGEST_RANGE = 1 << 16


class Opening(Protocol):
    """Opens a public address for other rules; `cloudsim.management.network.firewall.Firewall`."""

    def create_for(
        self, related_id: str, address: PublicIp, network: Network, protocol: str, ports: tuple[int, int]
    ) -> Any:
        """Let that in. Needs an open transaction."""

    def check_openable(self, address: PublicIp, network: Network, wanted: bool | None) -> bool:
        """Whether the firewall is to be opened."""


class RemoteAccess:
    """Makes and removes the VPNs of networks and VPCs, and the users who may dial in."""

    def __init__(
        self, foundation: Foundation, routing: VpnRouting, use: AddressUse, opening: Opening
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._routing = routing
        self._use = use
        self._opening = opening
        self._vpns = foundation.table(RemoteAccessVpn)
        self._users = foundation.table(VpnUser)
        self._firewall = foundation.table(FirewallRule)
        self._networks = foundation.table(Network)
        self._vpcs = foundation.table(Vpc)
        self._accounts = foundation.table(Account)
        self._randomness = foundation.randomness.branch("remote access vpn")

    # VPNs

    def create(
        self,
        address: PublicIp,
        *,
        ip_range: str | None = None,
        open_firewall: bool | None = None,
        display: bool = True,
    ) -> RemoteAccessVpn:
        """A VPN on the address, not in force yet (`apply`). Raises InvalidParameterValue, RuleConflict."""
        network, vpc = self._behind(address)
        if self._vpns.find("public_ip_id", address.id) is not None:
            raise InvalidParameterValue(
                f"A Remote Access VPN already exists for this public Ip address {address.ip}"
            )
        if any(self._same(each, network, vpc) for each in self._vpns.where("account_id", address.account_id)):
            where = network.name if network is not None else vpc.name if vpc is not None else ""
            raise InvalidParameterValue(f"A Remote Access VPN already exists for {where}")
        for claim in self._use.claims(address):
            if claim.protocol == "udp" and any(claim.ports[0] <= port <= claim.ports[1] for port in VPN_PORTS):
                raise RuleConflict(
                    f"Rule {claim.of} of address {address.ip} has UDP ports {claim.ports[0]}-{claim.ports[1]}, "
                    f"and a VPN needs {', '.join(map(str, VPN_PORTS))}"
                )
        ips = self._range(address, ip_range, network, vpc)
        opens = network is not None and self._opening.check_openable(address, network, open_firewall)
        with self._store.transaction():
            vpn = self._vpns.insert(
                RemoteAccessVpn(
                    id=self._randomness.uuid(),
                    public_ip_id=address.id,
                    account_id=address.account_id,
                    domain_id=address.domain_id,
                    preshared_key=self._new_key(),
                    ip_range=ips,
                    network_id=network.id if network is not None else None,
                    vpc_id=vpc.id if vpc is not None else None,
                    display=display,
                    created=self._foundation.now(),
                )
            )
            if opens and network is not None:
                for port in VPN_PORTS:
                    self._opening.create_for(vpn.id, address, network, "udp", (port, port))
        return vpn

    def _behind(self, address: PublicIp) -> tuple[Network | None, Vpc | None]:
        """The network or VPC that the address leads to. Raises InvalidParameterValue."""
        if address.system or address.state != "Allocated":
            raise InvalidParameterValue(f"Public address {address.ip} is not allocated to an account")
        if address.static_nat_vm_id is not None:
            raise InvalidParameterValue(
                f"Address {address.ip} has static nat enabled and can't be used for a VPN"
            )
        if address.vpc_id is not None:
            vpc = self._vpcs[address.vpc_id]
            services = self._foundation.table(VpcOffering)[vpc.vpc_offering_id].services
            if not address.source_nat:
                raise InvalidParameterValue(
                    f"Vpn service can only be configured on the Source NAT IP of VPC {vpc.name}, and {address.ip} is "
                    "another"
                )
            if "Vpn" not in services:
                raise InvalidParameterValue(f"Vpn service is not supported in VPC {vpc.name}")
            return None, vpc
        network = self._networks.get(address.network_id)
        if network is None:
            raise InvalidParameterValue(
                f"The Ip address {address.ip} is not ready to be used yet: it is associated with no network"
            )
        offering = self._foundation.table(NetworkOffering).get(network.network_offering_id)
        if offering is None or "Vpn" not in offering.services:
            raise InvalidParameterValue(f"Vpn service is not supported in network {network.name}")
        return network, None

    @staticmethod
    def _same(vpn: RemoteAccessVpn, network: Network | None, vpc: Vpc | None) -> bool:
        if network is not None:
            return vpn.network_id == network.id
        return vpc is not None and vpn.vpc_id == vpc.id

    def _range(
        self, address: PublicIp, text: str | None, network: Network | None, vpc: Vpc | None
    ) -> str:
        if text is None:
            text = self._foundation.settings.get(
                "remote.access.vpn.client.iprange", "Account", address.account_id
            )
        first, dash, last = text.partition("-")
        try:
            low, high = ipaddress.IPv4Address(first.strip()), ipaddress.IPv4Address(last.strip())
        except ValueError:
            raise InvalidParameterValue(f"Invalid ip range: {text}; it is first-last") from None
        if not dash or not 1 < int(high) - int(low) + 1 <= LONGEST_RANGE:
            raise InvalidParameterValue(
                f"Invalid ip range: {text}; it is first-last, of 2 to {LONGEST_RANGE} addresses"
            )
        if not any(low in private and high in private for private in PRIVATE):
            raise InvalidParameterValue(f"Invalid ip range: {text} is not of private addresses")
        inside = super_cidr(vpc) if vpc is not None else None
        if network is not None and network.cidr is not None:
            inside = ipaddress.IPv4Network(network.network_cidr or network.cidr)
        if inside is not None and low <= inside.broadcast_address and inside.network_address <= high:
            raise InvalidParameterValue(f"Invalid ip range: {text} overlaps with network {inside}")
        return f"{low}-{high}"

    def _new_key(self) -> str:
        length = self._foundation.settings.integer("remote.access.vpn.psk.length")
        return generate(self._randomness, length)

    async def apply(self, vpn_id: str) -> RemoteAccessVpn:
        """Put a new VPN in force. One that cannot be is removed again, and the reason raised."""
        vpn = self._vpns[vpn_id]
        try:
            await self._sync(vpn)
        except Exception:
            with self._store.transaction():
                self._remove(vpn)
            raise
        with self._store.transaction():
            for rule in self._firewall.where("related_id", vpn_id):
                self._firewall.update(rule.id, state="Active")
            return self._vpns.update(vpn_id, state="Running")

    async def _sync(self, vpn: RemoteAccessVpn) -> None:
        if vpn.vpc_id is not None:
            await self._routing.sync_vpc(vpn.vpc_id)
        elif vpn.network_id is not None:
            await self._routing.sync(vpn.network_id)

    def on_address(self, address: PublicIp) -> RemoteAccessVpn:
        """The VPN on the address. Raises InvalidParameterValue if there is none."""
        vpn = self._vpns.find("public_ip_id", address.id)
        if vpn is None:
            raise InvalidParameterValue(f"There is no remote access VPN on public address {address.ip}")
        return vpn

    def update(self, vpn_id: str, *, display: bool | None) -> RemoteAccessVpn:
        """Change whether it is shown."""
        with self._store.transaction():
            row = self._vpns[vpn_id]
            return row if display is None else self._vpns.update(vpn_id, display=display)

    async def delete(self, vpn_id: str) -> None:
        """Take a VPN out of force and remove it. If that fails it stays as Removed: delete it again."""
        with self._store.transaction():
            vpn = self._vpns.update(vpn_id, state="Removed")
            for rule in self._firewall.where("related_id", vpn_id):
                self._firewall.update(rule.id, state="Revoke")
        await self._sync(vpn)
        with self._store.transaction():
            self._remove(vpn)

    def _remove(self, vpn: RemoteAccessVpn) -> None:
        for rule in self._firewall.where("related_id", vpn.id):
            self._firewall.delete(rule.id)
        if vpn.id in self._vpns:
            remove_leftovers(self._foundation, vpn.id)
            self._vpns.delete(vpn.id)

    def remove_on(self, address_id: str) -> None:
        """Remove the VPN on an address that is given back. Needs an open transaction."""
        vpn = self._vpns.find("public_ip_id", address_id)
        if vpn is not None:
            self._remove(vpn)

    def remove_of(self, vpc: Vpc) -> None:
        """Remove the VPN of a VPC that goes. Needs an open transaction."""
        for vpn in self._vpns.where("account_id", vpc.account_id):
            if vpn.vpc_id == vpc.id:
                self._remove(vpn)

    def remove_of_network(self, network: Network) -> None:
        """Remove the VPN of a network that goes. Needs an open transaction."""
        for vpn in self._vpns.where("account_id", network.account_id):
            if vpn.network_id == network.id:
                self._remove(vpn)

    # users

    def create_user(self, owner: Account, name: str, password: str) -> VpnUser:
        """A user who may dial in to any VPN of the account, once `apply_user` is done. Raises InvalidParameterValue."""
        if not USER_NAME.match(name):
            raise InvalidParameterValue(
                "Username has to be begin with an alphabet or a number, have 2-63 characters including alphabets, "
                "numbers and the set '@.-_'"
            )
        if not PASSWORD.match(password):
            raise InvalidParameterValue(
                "Password has to be 3-32 characters including alphabets, numbers and the set '@+=.-_'"
            )
        if self._users.find(("account_id", "name"), (owner.id, name)) is not None:
            raise InvalidParameterValue(f"VPN User with name {name} is already added for account {owner.name}")
        most = self._foundation.settings.integer("remote.access.vpn.user.limit")
        if self._users.count("account_id", owner.id) >= most:
            raise InvalidParameterValue(f"Cannot add more than {most} remote access vpn users for account {owner.name}")
        with self._store.transaction():
            return self._users.insert(
                VpnUser(
                    id=self._randomness.uuid(),
                    name=name,
                    password=password,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    state="Add",
                )
            )

    async def apply_user(self, user_id: str) -> VpnUser:
        """Let the user in. One whom a router does not take is removed again, and the reason raised."""
        try:
            await self._sync_account(self._users[user_id].account_id)
        except Exception:
            with self._store.transaction():
                if user_id in self._users:
                    self._users.delete(user_id)
            raise
        with self._store.transaction():
            return self._users.update(user_id, state="Active")

    def user_named(self, owner: Account, name: str) -> VpnUser:
        """The account's user of that name. Raises InvalidParameterValue."""
        user = self._users.find(("account_id", "name"), (owner.id, name))
        if user is None:
            raise InvalidParameterValue(f"Could not find vpn user {name} of account {owner.name}")
        return user

    async def delete_user(self, user_id: str) -> None:
        """Let the user in no more. If that fails they stay as Revoke: remove them again."""
        with self._store.transaction():
            user = self._users.update(user_id, state="Revoke")
        await self._sync_account(user.account_id)
        with self._store.transaction():
            self._users.delete(user_id)

    async def _sync_account(self, account_id: str) -> None:
        for vpn in self._vpns.where("account_id", account_id):
            if vpn.state == "Running":
                await self._sync(vpn)

    async def delete_of(self, account: Account) -> None:
        """Remove an account's users, whose networks are gone."""
        with self._store.transaction():
            for user in self._users.where("account_id", account.id):
                self._users.delete(user.id)
