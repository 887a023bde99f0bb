"""What the metadata server is told."""

from __future__ import annotations

from collections.abc import Iterator

from backends.systemvm.plan import Metadata, MetadataGuest
from cloudsim.protocol.router import RouterConfiguration
from cloudsim.systemvm.leases_and_names import metadata_items
from cloudsim.systemvm.security_groups import METADATA_ADDRESS


def metadata(configuration: RouterConfiguration) -> Metadata | None:
    """At the router's address in each network that has user data from it, and at 169.254.169.254; None: nowhere."""
    addresses = [network.router_ip for network in configuration.guests if "UserData" in network.services]
    if not addresses:
        return None
    return Metadata((*addresses, METADATA_ADDRESS), tuple(_guests(configuration)))


def _guests(configuration: RouterConfiguration) -> Iterator[MetadataGuest]:
    for network in configuration.guests:
        if "UserData" in network.services:
            for guest in network.guests:
                items, data = metadata_items(configuration, guest), guest.user_data or ""
                yield MetadataGuest(guest.ip, data, items, guest.password or "")
                for ip in guest.secondary_ips:
                    yield MetadataGuest(ip, data, items)
