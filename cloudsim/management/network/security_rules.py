"""What an instance's security groups mean for each of its network cards: the rules that its host enforces."""

from __future__ import annotations

from cloudsim.management.foundation import Foundation
from cloudsim.management.network.security_members import SecurityMembers
from cloudsim.model import Network, Nic, SecurityGroupRule, SystemVm, VirtualMachine
from cloudsim.protocol.specs import SecurityRule

NOBODY = "0.0.0.0/32"
"""No destination: what is left of an egress rule for a group without members. It still means that other traffic
may not leave."""


class SecurityRules:
    """Computes rules from rows.

    Nothing comes in but what an ingress rule of one of the groups lets in. All goes out, until there is an egress
    rule; then only what one lets out, and what goes to the network's own router. Answers pass always.
    """

    def __init__(self, foundation: Foundation, members: SecurityMembers) -> None:
        self._members = members
        self._rules = foundation.table(SecurityGroupRule)
        self._vms = foundation.table(VirtualMachine)
        self._networks = foundation.table(Network)
        self._nics = foundation.table(Nic)
        self._system_vms = foundation.table(SystemVm)

    def guards(self, network: Network) -> bool:
        """Whether cards on the network have rules at all."""
        return self._members.guards(network)

    def of(self, nic: Nic) -> tuple[SecurityRule, ...] | None:
        """The rules of the card; None where no security group stands before it."""
        vm = self._vms.get(nic.vm_id)
        if nic.ip is None or vm is None or vm.type != "User":
            return None
        if not self._members.guards(self._networks[nic.network_id]):
            return None
        rules = self.of_groups(vm.security_group_ids, vm.zone_id)
        if all(rule.ingress for rule in rules):
            return rules
        return (*rules, *(SecurityRule(False, "all", f"{ip}/32") for ip in self._routers(nic.network_id)))

    def _routers(self, network_id: str) -> list[str]:
        """Addresses at which the network has DNS and metadata."""
        return [
            nic.ip
            for router in self._system_vms.where("network_id", network_id)
            for nic in self._nics.where("vm_id", router.id)
            if nic.network_id == network_id and nic.ip is not None
        ]

    def of_groups(self, group_ids: tuple[str, ...], zone_id: str) -> tuple[SecurityRule, ...]:
        """The rules of an instance of the zone that is in those groups, each once."""
        made: dict[SecurityRule, None] = {}
        for group_id in group_ids:
            for rule in self._rules.where("group_id", group_id):
                if rule.cidr is not None:
                    cidrs: tuple[str, ...] = (rule.cidr,)
                else:
                    assert rule.other_group_id is not None
                    cidrs = self._members.addresses(rule.other_group_id, zone_id)
                if not cidrs and not rule.ingress:
                    cidrs = (NOBODY,)
                first, last = _range(rule)
                for cidr in cidrs:
                    made[SecurityRule(rule.ingress, rule.protocol, cidr, first, last)] = None
        return tuple(made)


def _range(rule: SecurityGroupRule) -> tuple[int, int]:
    """Ports, or ICMP type and code, as SecurityRule has them."""
    first, last = rule.start_port, rule.end_port
    if rule.protocol == "icmp":
        first, last = rule.icmp_type, rule.icmp_code
    return (-1 if first is None else first), (-1 if last is None else last)
