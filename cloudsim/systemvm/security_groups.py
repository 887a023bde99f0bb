"""What the host lets through a network card: only the guest's own addresses, and what its security groups allow."""

from __future__ import annotations

from cloudsim.protocol.specs import NicSpec
from cloudsim.systemvm.packets import Packet, inside, same_kind

METADATA_ADDRESS = "169.254.169.254"


def addresses(nic: NicSpec) -> tuple[str, ...]:
    """All that the guest may speak as; none where the network gives no addresses, and then it may speak as any."""
    return () if nic.ip is None else (nic.ip, *nic.secondary_ips)


def refuses_to_send(nic: NicSpec, packet: Packet) -> str | None:
    """Why the card does not let the packet out; None: it does. A group without egress rules lets everything out."""
    own = addresses(nic)
    if own and packet.source not in own:
        return f"{packet.source} is no address of card {nic.mac}: dropped"
    rules = [rule for rule in nic.rules or () if not rule.ingress]
    if not rules or packet.destination in (nic.gateway, METADATA_ADDRESS):
        return None
    for rule in rules:
        if same_kind(packet, rule.protocol, rule.first, rule.last) and _inside(packet.destination, rule.cidr):
            return None
    return f"no egress rule of its security groups allows {packet.what} to {packet.destination}: dropped"


def refuses_to_receive(nic: NicSpec, packet: Packet) -> str | None:
    """Why the card does not let the packet in; None: it does."""
    if nic.rules is None or nic.ip is None or packet.source in (nic.gateway, METADATA_ADDRESS):
        return None
    for rule in nic.rules:
        if (
            rule.ingress
            and same_kind(packet, rule.protocol, rule.first, rule.last)
            and _inside(packet.source, rule.cidr)
        ):
            return None
    return f"no ingress rule of its security groups allows {packet.what} from {packet.source}: dropped"


def _inside(ip: str, cidr: str) -> bool:
    return ":" not in cidr and inside(ip, cidr)  # guests have no IPv6 addresses of the cloud's
