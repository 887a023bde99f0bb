"""What a zone of a simulated datacenter has once it is built."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from backends.simulated.datacenter import PublicRange, uniform
from backends.simulated.world import SimulatedWorld
from cloudsim.errors import InvalidParameterValue
from cloudsim.management import first_state
from cloudsim.management.building import build_zone
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES, IpRange, NetworkServiceProvider, TrafficType, VirtualRouterElement
from cloudsim.randomness import Randomness
from cloudsim.store import Store

PUBLIC = PublicRange(
    start_ip="203.0.113.10", end_ip="203.0.113.20", netmask="255.255.255.0", gateway="203.0.113.1", vlan="51"
)


def built(public: PublicRange | None, network_type: str = "Advanced") -> Store:
    """The store of a cloud with one zone of one host."""
    datacenter = uniform(hosts_per_rack=1)
    (zone,) = datacenter.kinds()
    zone = msgspec.structs.replace(zone, public=public, network_type=network_type)
    world = SimulatedWorld(msgspec.structs.replace(datacenter, zones=(zone,)), seed=3)
    store = Store(ROW_TYPES)
    server: Any = ManagementServer(store, world, Randomness(5))
    server.identity.users.passwords.log_cost = 4
    first_state.seed(server.foundation, server.identity, server.offerings, server.guest_os)

    async def build() -> None:
        server.start()
        try:
            await build_zone(server, world.layout.zones[0])
        finally:
            await server.stop()

    world.loop.run_until_complete(asyncio.wait_for(build(), 600))
    return store


@pytest.mark.parametrize("public", [None, PUBLIC])
def test_its_service_providers_are_enabled(public: PublicRange | None) -> None:
    store = built(public)
    assert {row.state for row in store.table(NetworkServiceProvider)} == {"Enabled"}
    assert all(row.enabled for row in store.table(VirtualRouterElement))


def test_its_public_addresses_are_a_range() -> None:
    (row,) = built(PUBLIC).table(IpRange)
    assert (row.start_ip, row.end_ip, row.gateway, row.netmask, row.vlan, row.public) == (
        "203.0.113.10",
        "203.0.113.20",
        "203.0.113.1",
        "255.255.255.0",
        "51",
        True,
    )


@pytest.mark.parametrize(("public", "network_type"), [(None, "Advanced"), (PUBLIC, "Basic")])
def test_a_zone_without_public_addresses(public: PublicRange | None, network_type: str) -> None:
    store = built(public, network_type)
    assert len(store.table(IpRange)) == 0
    assert "Public" not in {row.traffic_type for row in store.table(TrafficType)}


def test_public_addresses_that_are_a_pods_management_addresses_too_are_refused() -> None:
    public = PublicRange(
        start_ip="10.0.0.2", end_ip="10.0.0.254", netmask="255.255.255.0", gateway="10.0.0.1"
    )
    with pytest.raises(InvalidParameterValue, match="overlaps the public IP range"):
        built(public)
