"""Consoles of a simulated cloud: let in, followed, revoked; and as many console proxies as they need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from backends.systemvm.consoleproxy.grants import secret_of
from cloudsim.errors import InvalidParameterValue, ResourceUnavailable
from cloudsim.management.server import ManagementServer
from cloudsim.model import ConsoleSession
from cloudsim.randomness import Randomness
from tests.cloudsim.management.systemvm.console_cloud import ConsoleCloud


@pytest.fixture
def cloud() -> Iterator[ConsoleCloud]:
    made = ConsoleCloud()
    yield made
    made.close()


def test_a_zone_has_a_console_proxy_once_it_has_public_addresses(cloud: ConsoleCloud) -> None:
    cloud.wait(300)
    assert cloud.proxies() == []
    proxy = cloud.found()
    vm = cloud.machine(proxy)
    assert (vm.state, vm.type, proxy.public_ip) == ("Running", "ConsoleProxy", "198.51.100.10")
    cloud.wait(600)
    assert len(cloud.proxies()) == 1


def test_an_endpoint_leads_to_the_instances_screen_through_the_proxy(cloud: ConsoleCloud) -> None:
    proxy, vm = cloud.found(), cloud.deploy("web")
    endpoint = cloud.open(vm, address="192.0.2.5")
    url = urlsplit(endpoint.url)
    assert (url.scheme, url.netloc, url.path) == ("http", f"{proxy.public_ip}:8080", "/resource/noVNC/serial.html")
    fields = parse_qs(url.query)
    assert fields["token"] == [endpoint.token] and fields["title"] == ["web"] and "extra" not in fields
    session = cloud.session(endpoint)
    assert (session.state, session.proxy_id, session.vm_id) == ("Granted", proxy.id, vm.id)
    assert session.token_hash == hashlib.sha256(endpoint.token.encode()).hexdigest()
    assert endpoint.token not in str(session)
    screen = cloud.browse(endpoint)
    assert screen is not None and vm.instance_name in screen.seen
    cloud.wait(11)
    session = cloud.session(endpoint)
    assert (session.state, session.client_address, session.creator_address) == ("Acquired", "192.0.2.77", "192.0.2.5")
    assert session.acquired is not None and session.created <= session.acquired <= cloud.world.now()


def test_a_token_opens_once(cloud: ConsoleCloud) -> None:
    cloud.found()
    endpoint = cloud.open(cloud.deploy())
    assert cloud.browse(endpoint, "guessed") is None
    assert cloud.browse(endpoint) is not None
    assert cloud.browse(endpoint) is None


def test_a_token_that_nobody_used_expires(cloud: ConsoleCloud) -> None:
    cloud.found()
    cloud.manager.settings.set("consoleproxy.session.timeout", "60000")
    endpoint = cloud.open(cloud.deploy())
    cloud.wait(71)
    assert cloud.browse(endpoint) is None
    session = cloud.session(endpoint)
    assert session.state == "Expired" and session.removed is not None and session.acquired is None


def test_with_extra_validation_the_address_must_hold_the_creators_token_too(cloud: ConsoleCloud) -> None:
    cloud.found()
    vm = cloud.deploy()
    cloud.manager.settings.set("consoleproxy.extra.security.validation.enabled", "true")
    with pytest.raises(InvalidParameterValue, match="needs a token"):
        cloud.open(vm)
    endpoint = cloud.open(vm, extra="mine")
    assert parse_qs(urlsplit(endpoint.url).query)["extra"] == ["mine"]
    assert cloud.browse(endpoint) is None
    assert cloud.browse(endpoint, secret_of(endpoint.token, "another")) is None
    assert cloud.browse(endpoint, secret_of(endpoint.token, "mine")) is not None


def test_an_instance_that_does_not_run_has_no_console_and_nothing_is_left_of_asking(cloud: ConsoleCloud) -> None:
    cloud.found()
    vm = cloud.stop(cloud.deploy())
    with pytest.raises(InvalidParameterValue, match="it is in state Stopped"):
        cloud.open(vm)
    assert len(cloud.table(ConsoleSession)) == 0


def test_without_a_proxy_there_is_no_console(cloud: ConsoleCloud) -> None:
    with pytest.raises(ResourceUnavailable, match="No console proxy serves"):
        cloud.open(cloud.deploy("web"))


def test_stopping_the_instance_ends_its_sessions_open_and_unopened(cloud: ConsoleCloud) -> None:
    cloud.found()
    vm, other = cloud.deploy("web"), cloud.deploy("db")
    watched, unopened, elsewhere = cloud.open(vm), cloud.open(vm), cloud.open(other)
    screen = cloud.browse(watched)
    cloud.wait(11)
    cloud.stop(vm)
    cloud.wait(3)
    assert screen is not None and screen.over
    assert [cloud.session(each).state for each in (watched, unopened, elsewhere)] == ["Closed", "Closed", "Granted"]
    assert cloud.browse(unopened) is None and cloud.browse(elsewhere) is not None


def test_a_migrated_instances_sessions_end(cloud: ConsoleCloud) -> None:
    cloud.found()
    vm = cloud.deploy()
    endpoint = cloud.open(vm)
    screen = cloud.browse(endpoint)
    cloud.do(cloud.manager.migration.migrate(cloud.admin, vm.id))
    cloud.wait(3)
    assert screen is not None and screen.cut
    assert cloud.session(endpoint).state == "Closed"
    assert cloud.browse(cloud.open(cloud.table(type(vm))[vm.id])) is not None


def test_a_watcher_who_leaves_is_told_to_have_left(cloud: ConsoleCloud) -> None:
    cloud.found()
    endpoint = cloud.open(cloud.deploy())
    screen = cloud.browse(endpoint)
    assert screen is not None
    (proxy,) = cloud.world.site.console_proxies.values()
    (session,) = proxy.grants.report()
    proxy.grants.end(session)
    cloud.wait(11)
    row = cloud.session(endpoint)
    assert row.state == "Closed" and row.acquired is not None and row.client_address == "192.0.2.77"


def test_when_its_proxy_dies_a_session_ends_and_the_next_one_goes_through_the_proxy_that_replaces_it(
    cloud: ConsoleCloud,
) -> None:
    proxy, vm = cloud.found(), cloud.deploy()
    endpoint = cloud.open(vm)
    screen = cloud.browse(endpoint)
    hypervisor = cloud.world.host(cloud.host_of(cloud.machine(proxy))).hypervisor
    cloud.do(hypervisor.stop_vm(cloud.machine(proxy).instance_name, True))
    assert screen is not None and screen.cut
    cloud.until(lambda: cloud.session(endpoint).state == "Closed")
    cloud.until(cloud.serving)
    assert cloud.browse(cloud.open(vm)) is not None


def test_another_proxy_comes_when_room_runs_out_and_goes_when_it_is_idle(cloud: ConsoleCloud) -> None:
    first, vm = cloud.found(), cloud.deploy()
    settings = cloud.manager.settings
    settings.set("consoleproxy.session.max", "3")
    settings.set("consoleproxy.capacity.standby", "1")
    settings.set("consoleproxy.launch.max", "2")
    endpoints = [cloud.open(vm) for _ in range(3)]
    with pytest.raises(ResourceUnavailable, match="No console proxy serves"):
        cloud.open(vm)
    cloud.until(lambda: len(cloud.serving()) == 1)
    assert len(cloud.proxies()) == 2 and first.id not in {row.id for row in cloud.serving()}
    beyond = [cloud.open(vm) for _ in range(3)]
    assert {cloud.session(each).proxy_id for each in beyond} == {cloud.proxies()[1].id}
    cloud.wait(120)
    assert len(cloud.proxies()) == 2, "consoleproxy.launch.max bounds them"
    for each in (*endpoints, *beyond):
        assert cloud.session(each).state == "Granted"
    cloud.wait(200)
    assert {cloud.session(each).state for each in (*endpoints, *beyond)} == {"Expired"}
    took = cloud.until(lambda: len(cloud.proxies()) == 1)
    assert took > 200 and cloud.proxies()[0].id == first.id, "the one that came last goes, not at once"


def test_sessions_that_ended_long_ago_are_forgotten(cloud: ConsoleCloud) -> None:
    cloud.found()
    vm = cloud.deploy()
    old = cloud.open(vm)
    cloud.stop(vm)
    cloud.wait(3)
    cloud.manager.settings.set("console.session.cleanup.retention.hours", "1")
    cloud.call(cloud.manager.consoles.purge)
    assert cloud.session(old).state == "Closed"
    cloud.wait(3700)
    cloud.call(cloud.manager.consoles.purge)
    assert len(cloud.table(ConsoleSession)) == 0


def test_a_zone_at_rest_asks_its_proxies_nothing(cloud: ConsoleCloud) -> None:
    cloud.found()
    cloud.wait(60)
    asked: list[object] = []
    ask = cloud.manager.system_vms.ask

    async def noted(vm_id: str, request: object, *rest: object) -> object:
        asked.append(request)
        return await ask(vm_id, request, *rest)

    cloud.manager.consoles._system_vms = type("Noted", (), {"ask": staticmethod(noted)})()
    cloud.wait(3600)
    assert asked == []


def test_a_proxy_that_moves_to_another_host_takes_its_sessions_along(cloud: ConsoleCloud) -> None:
    proxy, vm = cloud.found(), cloud.deploy()
    endpoint, unopened = cloud.open(vm), cloud.open(vm)
    screen = cloud.browse(endpoint)
    before = cloud.machine(proxy).host_id
    cloud.do(cloud.manager.migration.migrate(cloud.admin, proxy.id))
    cloud.wait(11)
    assert cloud.machine(proxy).host_id != before
    assert screen is not None and not screen.cut
    assert cloud.session(endpoint).state == "Acquired"
    assert cloud.browse(unopened) is not None


def test_sessions_that_a_proxy_has_forgotten_are_over(cloud: ConsoleCloud) -> None:
    proxy, vm = cloud.found(), cloud.deploy()
    endpoint = cloud.open(vm)
    assert cloud.browse(endpoint) is not None
    cloud.wait(11)
    assert cloud.session(endpoint).state == "Acquired"
    hypervisor = cloud.world.host(cloud.host_of(cloud.machine(proxy))).hypervisor
    cloud.do(hypervisor.reboot_vm(cloud.machine(proxy).instance_name, True))  # by itself: nobody is told
    cloud.wait(11)
    assert cloud.session(endpoint).state == "Closed"


def test_a_manager_that_is_started_anew_goes_on_following_sessions(cloud: ConsoleCloud) -> None:
    cloud.found()
    vm, other = cloud.deploy("web"), cloud.deploy("db")
    endpoint, lost = cloud.open(vm), cloud.open(other)
    assert cloud.browse(endpoint) is not None
    cloud.do(cloud.manager.stop())
    with cloud.store.transaction():  # while no manager looked, as a crash may leave it
        cloud.table(type(other)).update(other.id, state="Stopped", host_id=None)
    cloud.manager = ManagementServer(cloud.store, cloud.world, Randomness(6))
    cloud.call(cloud.manager.start)
    assert cloud.session(lost).state == "Closed"
    cloud.wait(30)
    assert cloud.session(endpoint).state == "Acquired"
    cloud.stop(vm)
    cloud.wait(3)
    assert cloud.session(endpoint).state == "Closed"
