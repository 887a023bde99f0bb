"""An agent that says where it wants to be is added as a host; one that cannot be there is told why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cloudsim.model import Host
from cloudsim.protocol.messages import Connected, Message, Refused, Request, Response, Startup
from cloudsim.protocol.specs import HostFacts, Place
from tests.cloudsim.management.cloud_harness import Cloud


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


class Wire:
    """The manager's end of a link to an agent that answers every request with its command's plain answer."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_close: Callable[[], None] = lambda: None
        self.closed = False

    def send(self, message: Message) -> None:
        self.heard.append(message)
        if isinstance(message, Request):
            answer = Response(message.sequence, message.command.answer())
            asyncio.get_running_loop().call_soon(self.on_message, answer)

    def close(self) -> None:
        self.closed = True


def knocks(cloud: Cloud, place: Place, *, hypervisor: str = "Simulator", guid: str = "guid-new") -> Wire:
    wire = Wire()
    facts = HostFacts(hypervisor, 8, 2000, 16384, private_ip="10.9.9.9")

    def knock() -> None:
        cloud.manager.agents.accept(wire)
        wire.on_message(Startup(guid, "newcomer", "1", facts, (), place))

    cloud.call(knock)
    cloud.wait(5)
    return wire


def here(cloud: Cloud, **other: str) -> Place:
    zone = cloud.zone.name
    pod = next(iter(cloud.manager.store.tables["Pod"])).name
    cluster = next(iter(cloud.manager.store.tables["Cluster"])).name
    return Place(**{"zone": zone, "pod": pod, "cluster": cluster} | other)


def test_it_becomes_a_host_of_the_cluster_and_takes_instances(cloud: Cloud) -> None:
    wire = knocks(cloud, here(cloud))
    host = cloud.named(Host, "newcomer")
    assert (host.state, host.resource_state, host.private_ip) == ("Up", "Enabled", "10.9.9.9")
    (welcome,) = [m for m in wire.heard if isinstance(m, Connected)]
    assert welcome.host_id == host.id


def test_it_mounts_the_pools_of_its_cluster_first(cloud: Cloud) -> None:
    wire = knocks(cloud, here(cloud))
    kinds = [type(m.command).__name__ for m in wire.heard if isinstance(m, Request)]
    assert kinds == ["ModifyStoragePoolCommand"]


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({"zone": "nowhere"}, "no zone nowhere"),
        ({"pod": "nowhere"}, "no pod nowhere"),
        ({"cluster": "nowhere"}, "no cluster nowhere"),
    ],
)
def test_a_place_that_there_is_not_is_refused(cloud: Cloud, other: dict[str, str], text: str) -> None:
    wire = knocks(cloud, here(cloud, **other))
    (refused,) = [m for m in wire.heard if isinstance(m, Refused)]
    assert text in refused.reason and wire.closed
    assert all(host.name != "newcomer" for host in cloud.table(Host))


def test_a_hypervisor_of_another_kind_is_refused(cloud: Cloud) -> None:
    wire = knocks(cloud, here(cloud), hypervisor="KVM")
    (refused,) = [m for m in wire.heard if isinstance(m, Refused)]
    assert "runs KVM" in refused.reason


def test_the_same_agent_again_is_the_same_host(cloud: Cloud) -> None:
    knocks(cloud, here(cloud))
    first = cloud.named(Host, "newcomer").id
    knocks(cloud, here(cloud, zone="whatever it says now"))
    assert [h.id for h in cloud.table(Host) if h.name == "newcomer"] == [first]
