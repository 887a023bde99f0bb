"""Routers on simulated hosts: what they were told is in force as long as they run, and what follows from it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cloudsim.protocol.router import (
    Balancer,
    BalancerMember,
    GuestNetworkConfiguration,
    IngressRule,
    PublicAddress,
    RouterConfiguration,
    RouterGuest,
    Traffic,
)
from cloudsim.protocol.specs import NicSpec, SystemVmSpec
from cloudsim.protocol.systemvm import (
    CheckHealth,
    ConfigureRouter,
    HealthReport,
    RouterStatistics,
    RouterStatisticsResult,
    RunDiagnostics,
)

if TYPE_CHECKING:
    from conftest import Bench

MASK = "255.255.255.0"
OUTSIDE = "198.51.100.9"
INSIDE_MAC, PUBLIC_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"


def card(number: int) -> NicSpec:
    ip = f"10.1.1.{number}"
    return NicSpec(f"nic-{number}", f"06:00:00:00:00:{number:02x}", "net", 0, ip, MASK, "10.1.1.1")


def configuration(**fields: Any) -> RouterConfiguration:
    guests = tuple(RouterGuest(card(n).mac, f"10.1.1.{n}", f"vm-{n}", f"i-2-{n}-VM") for n in (7, 8))
    known: dict[str, Any] = {
        "egress_allowed": True,
        "services": ("Dhcp", "Dns", "UserData"),
        "guests": guests,
    }
    known |= fields.pop("net", {})
    network = GuestNetworkConfiguration("net", INSIDE_MAC, "10.1.1.1", "10.1.1.1", MASK, **known)
    public = (PublicAddress("203.0.113.5", MASK, "203.0.113.1", PUBLIC_MAC, source_nat=True),)
    return RouterConfiguration(name="r-4-VM", public=public, guests=(network,), **fields)


def start(bench: Bench, *instances: int) -> None:
    """The router on host a, instances on host b."""
    nics = (
        NicSpec("r-in", INSIDE_MAC, "net", 0, "10.1.1.1", MASK),
        NicSpec("r-out", PUBLIC_MAC, "public", 1, "203.0.113.5", MASK, traffic="Public"),
    )
    bench.do(bench.a.start_vm(bench.vm("r-4-VM", nics=nics, system=SystemVmSpec("router"))))
    for number in instances:
        bench.do(bench.b.start_vm(bench.vm(f"i-2-{number}-VM", nics=(card(number),))))


def tell(bench: Bench, it: RouterConfiguration, number: int = 1) -> Any:
    return bench.do(bench.a.ask_system_vm("r-4-VM", ConfigureRouter(number=number, configuration=it)))


def statistics(bench: Bench, host: Any = None) -> RouterStatisticsResult:
    result = bench.do((host or bench.a).ask_system_vm("r-4-VM", RouterStatistics()))
    assert isinstance(result, RouterStatisticsResult)
    return result


def health(bench: Bench) -> dict[str, bool]:
    report = bench.do(bench.a.ask_system_vm("r-4-VM", CheckHealth()))
    assert isinstance(report, HealthReport)
    return {check.name: check.success for check in report.checks}


def run(bench: Bench, tool: Any, address: str, *parameters: str) -> Any:
    request = RunDiagnostics(tool=tool, address=address, parameters=parameters)
    return bench.do(bench.a.ask_system_vm("r-4-VM", request))


def test_what_is_in_force_is_what_a_router_that_runs_was_told(bench: Bench) -> None:
    start(bench, 7)
    reach = bench.world.reachability().can_reach
    assert reach("i-2-7-VM", OUTSIDE, "tcp", 80).reason.endswith("its router does not run"), (
        "it knows nothing yet"
    )
    tell(bench, configuration())
    picture = bench.world.reachability()
    assert picture.can_reach("i-2-7-VM", OUTSIDE, "tcp", 80).ends[0].seen_as == "203.0.113.5"
    lease = picture.lease(card(7).mac)
    assert lease is not None and (lease.ip, lease.router, lease.dns) == (
        "10.1.1.7",
        "10.1.1.1",
        ("10.1.1.1",),
    )
    assert picture.resolve("vm-8", "i-2-7-VM") == ("10.1.1.8",)
    assert picture.metadata("latest/instance-id", "i-2-7-VM") == b"i-2-7-VM"
    bench.do(bench.a.reboot_vm("r-4-VM", False))
    assert not bench.world.reachability().can_reach("i-2-7-VM", OUTSIDE, "tcp", 80), "it has forgotten"
    tell(bench, configuration())
    bench.do(bench.a.suspend_vm("r-4-VM"))
    assert not bench.world.reachability().can_reach("i-2-7-VM", OUTSIDE, "tcp", 80)


def test_an_older_configuration_is_refused(bench: Bench) -> None:
    start(bench)
    assert tell(bench, configuration(), 5).error is None
    assert tell(bench, configuration(), 4).error == "configuration 4 is older than 5, which is in force"
    assert tell(bench, configuration(), 5).error is None


def test_leases_and_members_are_those_of_instances_that_run(bench: Bench) -> None:
    members = (BalancerMember("m7", "10.1.1.7", 80), BalancerMember("m8", "10.1.1.8", 80))
    start(bench, 7, 8)
    assert statistics(bench).leases == ()
    tell(bench, configuration(balancers=(Balancer("lb", "203.0.113.5", 80, members=members),)))
    assert statistics(bench).leases == ((card(7).mac, "10.1.1.7"), (card(8).mac, "10.1.1.8"))
    bench.do(bench.b.stop_vm("i-2-8-VM", True))
    result = statistics(bench)
    assert result.leases == ((card(7).mac, "10.1.1.7"),) and result.number == 1
    assert (result.members_up, result.members_down) == ((("lb", "m7"),), (("lb", "m8"),))
    rule = IngressRule("203.0.113.5", Traffic("tcp", 80, 80))
    tell(
        bench, configuration(balancers=(Balancer("lb", "203.0.113.5", 80, members=members),), ingress=(rule,))
    )
    ends = bench.world.reachability().can_reach(OUTSIDE, "203.0.113.5", "tcp", 80).ends
    assert [end.name for end in ends] == ["i-2-7-VM"]


def test_traffic_is_what_the_instances_sent_and_received_since_the_router_is_there(bench: Bench) -> None:
    bench.do(bench.b.start_vm(bench.vm("i-2-7-VM", nics=(card(7),))))
    bench.do(bench.b.start_vm(bench.vm("i-2-8-VM", nics=(replace(card(8), default=False),))))
    wait(bench, 1000)
    start(bench)
    secondary = tuple(replace(g, default=g.ip != "10.1.1.8") for g in configuration().guests[0].guests)
    tell(bench, configuration(net={"guests": secondary}))

    def sent_and_received() -> tuple[int, int]:
        (traffic,) = statistics(bench).traffic
        return traffic.sent, traffic.received

    assert max(sent_and_received()) < own(bench)[1] / 100, "not what was before the router"
    begin = own(bench)
    base = sent_and_received()
    wait(bench, 500)
    grown = tuple(now - then for now, then in zip(own(bench), begin, strict=True))
    counted = tuple(now - then for now, then in zip(sent_and_received(), base, strict=True))
    assert grown[0] > 0 and counted == pytest.approx(grown, rel=0.01)
    shut = tuple(configuration(net={"egress_allowed": False, "guests": secondary}).guests)
    tell(bench, replace(configuration(), guests=shut), 2)
    at_closing = sent_and_received()
    wait(bench, 500)
    assert sent_and_received() == at_closing, "what may not leave is not counted"
    bench.do(bench.b.stop_vm("i-2-7-VM", True))
    assert sent_and_received() == at_closing, "counters never go back"


def wait(bench: Bench, seconds: float) -> None:
    bench.do(asyncio.sleep(seconds))


def own(bench: Bench) -> tuple[int, int]:
    (measured,) = bench.do(bench.b.vm_statistics(("i-2-7-VM",)))
    return measured.network_write_bytes, measured.network_read_bytes


def test_a_router_that_moves_keeps_what_it_was_told(bench: Bench) -> None:
    start(bench, 7)
    tell(bench, configuration(), 3)
    bench.do(bench.a.migrate_vm("r-4-VM", bench.b.address, False))
    assert statistics(bench, bench.b).number == 3
    assert bench.world.reachability().can_reach("i-2-7-VM", OUTSIDE, "tcp", 80)


def test_a_router_checks_itself(bench: Bench) -> None:
    start(bench)
    assert health(bench) == {"memory": True, "packet.filter": False}
    tell(bench, configuration())
    names = {
        "memory",
        "interfaces",
        "service.dnsmasq",
        "service.metadata",
        "packet.filter",
        "gateway.203.0.113.1",
    }
    assert health(bench) == dict.fromkeys(names, True)
    bench.do(bench.a.unplug_nic("r-4-VM", NicSpec("r-out", PUBLIC_MAC, "public")))
    bench.world.site.topology.cut(bench.a.place)
    failing = {name for name, success in health(bench).items() if not success}
    assert failing == {"interfaces", "gateway.203.0.113.1"}


def test_ping_answers_as_the_oracle_says_and_takes_its_time(bench: Bench) -> None:
    start(bench, 7)
    tell(bench, configuration())
    before = bench.now
    found = run(bench, "ping", "10.1.1.7")
    assert found.exit_code == 0 and "4 packets transmitted, 4 received, 0% packet loss" in found.stdout
    assert 3 <= bench.now - before < 4
    before = bench.now
    lost = run(bench, "ping", "10.1.1.8", "-c", "2")
    assert lost.exit_code == 1 and "2 packets transmitted, 0 received, 100% packet loss" in lost.stdout
    assert 11 <= bench.now - before < 12
    assert run(bench, "ping", OUTSIDE, "-c1").exit_code == 0
    unknown = run(bench, "ping", "www.example.org")
    assert (unknown.exit_code, unknown.stderr) == (2, "ping: www.example.org: Name or service not known")
    assert run(bench, "ping", OUTSIDE, "-c", "90").exit_code == 124


def test_traceroute_and_arping_see_the_way_and_the_neighbour(bench: Bench) -> None:
    start(bench, 7)
    tell(bench, configuration())
    lines = run(bench, "traceroute", OUTSIDE).stdout.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["203.0.113.1", OUTSIDE]
    assert run(bench, "traceroute", "10.1.1.8").stdout.splitlines()[1].split() == ["1", "*", "*", "*"]
    found = run(bench, "arping", "10.1.1.7", "-c1")
    assert found.exit_code == 0 and f"Unicast reply from 10.1.1.7 [{card(7).mac.upper()}]" in found.stdout
    assert run(bench, "arping", "10.1.1.8").exit_code == 1


def test_one_zone_can_be_looked_at_alone(bench: Bench) -> None:
    start(bench, 7)
    tell(bench, configuration())
    assert bench.world.reachability("zone-1").can_reach("i-2-7-VM", OUTSIDE, "icmp")
    assert bench.world.reachability("zone-2").instances == {}
