"""A lab's zone, laid out by the API of a cloud without hosts."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest

from cloudsim.model import IpRange, NetworkServiceProvider, TrafficType
from server.lab.zone import PublicPlan, Zone, ZonePlan
from tests.server.api.api_harness import Api

LAB = IPv4Network("10.99.0.0/24")


class Direct:
    """The lab's client, without HTTP between it and the cloud."""

    def __init__(self, api: Api) -> None:
        self._call = api.admin

    def call(self, command: str, **parameters: Any) -> Any:
        return self._call(command, **parameters)

    job = call

    def list(self, command: str, **parameters: Any) -> Any:
        return next(
            (rows for rows in self.call(command, **parameters).values() if isinstance(rows, list)), []
        )


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


def laid_out(api: Api, plan: ZonePlan) -> Zone:
    client: Any = Direct(api)
    zone = Zone(client, plan)
    zone.lay_out()
    return zone


def test_all_service_providers_are_enabled(api: Api) -> None:
    laid_out(api, ZonePlan("lab", LAB))
    assert {row.state for row in api.store.table(NetworkServiceProvider)} == {"Enabled"}
    assert len(api.store.table(IpRange)) == 0
    assert "Public" not in {row.traffic_type for row in api.store.table(TrafficType)}


def test_public_addresses_where_the_plan_says_so(api: Api) -> None:
    zone = laid_out(api, ZonePlan("lab", LAB, public=PublicPlan(IPv4Network("10.98.0.0/24"), (10, 20))))
    (row,) = api.store.table(IpRange)
    assert (row.zone_id, row.start_ip, row.end_ip, row.gateway, row.netmask, row.vlan) == (
        zone.id,
        "10.98.0.10",
        "10.98.0.20",
        "10.98.0.1",
        "255.255.255.0",
        None,
    )
