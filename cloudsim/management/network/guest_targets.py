"""Which of an instance's addresses a rule of a public address leads to."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.model import Network, Nic, VirtualMachine


class GuestTargets:
    """Finds and checks them."""

    def __init__(self, foundation: Foundation) -> None:
        self._nics = foundation.table(Nic)

    def of(self, vm: VirtualMachine, network: Network, guest_ip: str | None = None) -> str:
        """The instance's address in the network, or `guest_ip` if it has that one there, too.

        The instance may be another account's than the address: of one that the network is shared with. Who may make
        such a rule is whoever may operate both. Raises InvalidParameterValue.
        """
        if vm.type != "User" or vm.state in ("Destroyed", "Expunging", "Error"):
            raise InvalidParameterValue(f"Invalid user vm: {vm.id} is {vm.state}")
        nic = next((n for n in self._nics.where("vm_id", vm.id) if n.network_id == network.id), None)
        if nic is None or nic.ip is None:
            raise InvalidParameterValue(
                f"Vm {vm.name} doesn't belong to network {network.name}, which is associated with the address"
            )
        if guest_ip in (None, nic.ip):
            return nic.ip
        if all(guest_ip != ip for _, ip in nic.secondary_ips):
            raise InvalidParameterValue(
                f"vmguestip {guest_ip} is no address of {vm.name} in network {network.name}"
            )
        assert guest_ip is not None
        return guest_ip
