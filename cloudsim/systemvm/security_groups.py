"""What the host lets through a network card: only the guest's own addresses, and what its security groups allow."""

from __future__ import annotations

from cloudsim.protocol.specs import NicSpec
from cloudsim.systemvm.packets import Packet, inside, is_ipv6, same_kind

METADATA_ADDRESS = "169.254.169.254"
_NO_IPV6 = "to and from a card in security groups no IPv6 passes: dropped"


def addresses(nic: NicSpec) -> tuple[str, ...]:
    """All that the guest may speak as; none where the network gives no addresses, and then it may speak as any."""
    return () if nic.ip is None else (nic.ip, *nic.secondary_ips)


def refuses_to_send(nic: NicSpec, packet: Packet) -> str | None:
    """Why the card does not let the packet out; None: it does. A group without egress rules lets everything out."""
    if is_ipv6(packet.source):  # a card without groups may speak as any; one with them is not answered
        return None if nic.rules is None else _NO_IPV6
    own = addresses(nic)
    if own and packet.source not in own:
        return f"{packet.source} is no address of card {nic.mac}: dropped"
    rules = [rule for rule in nic.rules or () if not rule.ingress]
    if not rules or packet.destination in (nic.gateway, METADATA_ADDRESS):
        return None
    for rule in rules:
        if same_kind(packet, rule.protocol, rule.first, rule.last) and inside(packet.destination, rule.cidr):
            return None
    return f"no egress rule of its security groups allows {packet.what} to {packet.destination}: dropped"


def refuses_to_receive(nic: NicSpec, packet: Packet) -> str | None:
    """Why the card does not let the packet in; None: it does."""
    if is_ipv6(packet.source):
        return None if nic.rules is None else _NO_IPV6
    if nic.rules is None or nic.ip is None or packet.source in (nic.gateway, METADATA_ADDRESS):
        return None
    for rule in nic.rules:
        if (
            rule.ingress
            and same_kind(packet, rule.protocol, rule.first, rule.last)
            and inside(packet.source, rule.cidr)
        ):
            return None
    return f"no ingress rule of its security groups allows {packet.what} from {packet.source}: dropped"
