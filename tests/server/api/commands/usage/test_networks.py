"""The records of what belongs to networks, and of what goes through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.management.usage import types
from cloudsim.model import Network
from server.api.views import date
from tests.server.api.commands.vpc.vpc_api import VpcApi

HOUR = 3600


@pytest.fixture
def routed() -> Iterator[VpcApi]:
    made = VpcApi()
    made.admin("updateConfiguration", name="enable.usage.server", value=True)
    made.cloud.wait(1)
    yield made
    made.cloud.close()


def records(api: VpcApi, **more: Any) -> list[dict[str, Any]]:
    """All records, with what was used until now."""
    api.admin("generateUsageRecords")
    now = api.manager.foundation.now()
    dates = {"startdate": str(date(now - 86_400))[:10], "enddate": str(date(now))[:10]}
    found: list[dict[str, Any]] = api.admin("listUsageRecords", **dates, **more).get("usagerecord", [])
    return found


def test_what_belongs_to_networks_is_told(routed: VpcApi) -> None:
    network = routed.network()
    vm = routed.cloud.deploy(network=routed.store.table(Network)[network["id"]])
    address = routed.admin("associateIpAddress", zoneid=routed.zone, networkid=network["id"])["ipaddress"]
    routed.admin(
        "createPortForwardingRule",
        ipaddressid=address["id"],
        protocol="tcp",
        publicport=22,
        privateport=22,
        virtualmachineid=vm.id,
    )
    balancer = {"publicport": 80, "privateport": 80, "algorithm": "source"}
    routed.admin("createLoadBalancerRule", publicipid=address["id"], name="lb", **balancer)
    routed.admin("addVpnUser", username="alice", password="secret")
    routed.vpc()
    routed.cloud.wait(2 * HOUR)
    found = records(routed)
    hours = {record["usagetype"]: float(record["rawusage"]) for record in found}
    for kind in (
        types.IP_ADDRESS,
        types.PORT_FORWARDING,
        types.LOAD_BALANCER,
        types.NETWORK_OFFERING,
        types.VPN_USER,
        types.NETWORK,
        types.VPC,
    ):
        assert hours[kind] == pytest.approx(2, abs=0.2), kind
    told = {record["usagetype"]: record for record in found}
    assert told[types.NETWORK]["networkid"] == network["id"]
    assert told[types.NETWORK_OFFERING]["virtualmachineid"] == vm.id
    assert told[types.NETWORK_OFFERING]["isdefault"] is True
    addresses = [record for record in found if record["usagetype"] == types.IP_ADDRESS]
    nats = {record["usageid"]: record["issourcenat"] for record in addresses if "networkid" in record}
    assert nats.pop(address["id"]) is False and list(nats.values()) == [True]


def test_what_went_through_a_router_is_told_with_the_network(routed: VpcApi) -> None:
    network = routed.network()
    routed.admin("createEgressFirewallRule", networkid=network["id"], protocol="all")
    routed.cloud.deploy(network=routed.store.table(Network)[network["id"]])
    routed.cloud.wait(HOUR)
    (sent,) = records(routed, type=types.BYTES_SENT)
    (received,) = records(routed, type=types.BYTES_RECEIVED)
    assert sent["usageid"] == received["networkid"] == network["id"]
    assert sent["usage"] == f"{sent['rawusage']} bytes sent"
    ((_, counted),) = routed.manager.router_health.statistics.items()
    assert 0 < int(sent["rawusage"]) <= sum(each.sent for each in counted.traffic)
    assert 0 < int(received["rawusage"]) <= sum(each.received for each in counted.traffic)
