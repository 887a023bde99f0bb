"""Which networks have a virtual router: those whose offering names one as provider, in zones with public addresses.

In other zones each host serves DHCP, names and user data to its own instances (docs/decisions/0007); so it is for the
default network of a zone, which belongs to no account.
"""

from __future__ import annotations

from cloudsim.model import IpRange, Network, NetworkOffering
from cloudsim.store import Store

ROUTER_PROVIDERS = frozenset({"VirtualRouter", "VpcVirtualRouter"})


def zone_has_routers(store: Store, zone_id: str) -> bool:
    """Whether the zone has public IPv4 addresses, which system VMs need."""
    return any(each.public and each.start_ip for each in store.table(IpRange).where("zone_id", zone_id))


def routed_services(offering: NetworkOffering | None) -> tuple[str, ...]:
    """The services of the offering that a virtual router provides."""
    if offering is None:
        return ()
    return tuple(name for name, providers in offering.services.items() if ROUTER_PROVIDERS.intersection(providers))


def has_router(store: Store, network: Network, offering: NetworkOffering | None) -> bool:
    """Whether a router serves the network once it is implemented."""
    return (
        not network.is_default
        and network.traffic_type == "Guest"
        and network.guest_type != "L2"
        and bool(routed_services(offering))
        and zone_has_routers(store, network.zone_id)
    )
