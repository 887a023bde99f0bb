"""Virtual routers of simulated networks: there when they are needed, told what the rows say, replaced when they are lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.errors import CloudError, InsufficientAddressCapacity
from cloudsim.model import Alert, Host, IpRange, Network, Nic, PublicIp, SystemVm, VirtualMachine
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud


@pytest.fixture
def cloud() -> Iterator[RoutedCloud]:
    made = RoutedCloud()
    yield made
    made.close()


def nics(cloud: RoutedCloud, row: SystemVm) -> dict[str, str | None]:
    table = cloud.table(Network)
    return {table[nic.network_id].traffic_type: nic.ip for nic in cloud.table(Nic).where("vm_id", row.id)}


def test_the_first_instance_of_a_network_brings_its_router(cloud: RoutedCloud) -> None:
    network = cloud.network()
    assert cloud.manager.routers.of(network) is None
    vm = cloud.deploy(network=network)
    router = cloud.router_of(network)
    assert cloud.machine(router).state == "Running"
    assert cloud.machine(router).instance_name == "r-1-VM" or cloud.machine(router).instance_name.startswith("r-")
    assert cloud.table(Network)[network.id].state == "Implemented"
    assert nics(cloud, router) == {"Guest": "10.1.1.1", "Public": router.public_ip}
    ip = cloud.table(PublicIp).find(("zone_id", "ip"), (cloud.zone.id, router.public_ip))
    assert (ip.source_nat, ip.network_id, ip.account_id) == (True, network.id, cloud.owner.id)
    configuration = cloud.appliance(router).configuration
    [guest] = configuration.guests[0].guests
    assert (guest.vm_id, guest.hostname) == (vm.id, "web")


def test_a_router_takes_capacity_of_its_host_and_gives_it_back(cloud: RoutedCloud) -> None:
    cloud.until(lambda: {row.kind for row in cloud.table(SystemVm)} == {"ConsoleProxy", "SecondaryStorageVm"})
    cloud.wait(60)
    capacity = cloud.manager.capacity
    before = int(capacity.memory_used.sum())
    network = cloud.network()
    vm = cloud.deploy(network=network)
    router = cloud.machine(cloud.router_of(network))
    assert int(capacity.memory_used.sum()) == before + vm.memory_mib + router.memory_mib
    cloud.do(cloud.manager.vms.destroyed(cloud.admin, vm.id, expunge=True))
    cloud.do(cloud.manager.network_life.delete(network.id))
    assert int(capacity.memory_used.sum()) == before
    assert not cloud.table(VirtualMachine).where("type", "DomainRouter")
    assert not [ip for ip in cloud.table(PublicIp) if ip.network_id == network.id]


def test_instances_started_together_share_one_router(cloud: RoutedCloud) -> None:
    network = cloud.network()
    vms = [cloud.deploy(f"web{n}", network=network, start=False) for n in range(5)]

    async def together() -> None:
        import asyncio

        await asyncio.gather(*(cloud.starting(vm, first=True) for vm in vms))

    cloud.do(together())
    routers = [row for row in cloud.table(SystemVm) if row.network_id == network.id]
    assert len(routers) == 1
    configured = cloud.appliance(routers[0]).configuration.guests[0].guests
    assert {guest.vm_id for guest in configured} == {vm.id for vm in vms}


def test_a_network_that_is_not_used_any_more_loses_its_router_after_the_wait(cloud: RoutedCloud) -> None:
    cloud.manager.settings.set("network.gc.wait", "100")
    network = cloud.network()
    vm = cloud.deploy(network=network)
    cloud.stop(vm)
    assert cloud.do(cloud.manager.network_life.release_idle()) == 0
    cloud.wait(101)
    assert cloud.do(cloud.manager.network_life.release_idle()) == 1
    assert cloud.manager.routers.of(network) is None
    assert cloud.table(Network)[network.id].state == "Allocated"
    source_nat = [ip for ip in cloud.table(PublicIp) if ip.network_id == network.id]
    cloud.start(vm)
    assert cloud.router_of(network).public_ip == source_nat[0].ip


def test_without_a_public_address_the_network_is_not_implemented(cloud: RoutedCloud) -> None:
    [only] = [row for row in cloud.table(IpRange) if row.public]
    with cloud.store.transaction():
        cloud.table(IpRange).update(only.id, start_ip="203.0.113.10", end_ip="203.0.113.10")
    cloud.call(cloud.manager.public_ips.acquire, cloud.owner, cloud.zone)
    network = cloud.network()
    with pytest.raises(InsufficientAddressCapacity, match="no free public IP address"):
        cloud.deploy(network=network)
    assert cloud.table(Network)[network.id].state == "Allocated"
    assert cloud.table(Network)[network.id].vlan is None
    assert not cloud.table(VirtualMachine).where("type", "DomainRouter")


def test_a_router_whose_host_dies_runs_elsewhere_with_the_same_addresses(cloud: RoutedCloud) -> None:
    network = cloud.network()
    cloud.deploy(network=network)
    router = cloud.router_of(network)
    told, host = cloud.appliance(router).configuration, cloud.machine(router).host_id
    cloud.world.crash_host(cloud.table(Host)[host].guid)

    def back() -> bool:
        found = cloud.manager.routers.of(network)
        return found is not None and cloud.machine(found).state == "Running" and cloud.machine(found).host_id != host

    took = cloud.until(back)
    new = cloud.router_of(network)
    cloud.until(lambda: cloud.appliance(new).configuration is not None)
    again = cloud.appliance(new).configuration
    assert (again.public[0].ip, again.guests[0].guests) == (told.public[0].ip, told.guests[0].guests)
    cloud.until(lambda: any("is at work again" in alert.description for alert in cloud.table(Alert)))
    assert took < 120


def test_a_router_that_was_switched_off_is_started_again_and_told(cloud: RoutedCloud) -> None:
    network = cloud.network()
    cloud.deploy(network=network)
    router = cloud.router_of(network)
    vm = cloud.machine(router)
    machine = cloud.world.host(cloud.table(Host)[vm.host_id].guid).hypervisor
    machine.drop(machine.guests[vm.instance_name])
    cloud.until(lambda: cloud.machine(router).state != "Running")
    cloud.until(lambda: cloud.machine(router).state == "Running")
    cloud.until(lambda: cloud.appliance(router).configuration is not None)
    assert cloud.appliance(router).configuration.guests[0].guests


def test_an_operator_s_stop_is_heeded_until_somebody_starts_it(cloud: RoutedCloud) -> None:
    network = cloud.network()
    cloud.deploy(network=network)
    router = cloud.router_of(network)
    cloud.do(cloud.manager.system_vms.stopped(router.id))
    cloud.wait(60)
    assert cloud.machine(router).state == "Stopped"
    cloud.deploy("second", network=network)
    assert cloud.machine(router).state == "Running"


def test_a_restart_with_a_clean_up_makes_another_router_with_the_same_addresses(cloud: RoutedCloud) -> None:
    network = cloud.network()
    cloud.deploy(network=network)
    old = cloud.router_of(network)
    cloud.do(cloud.manager.network_life.restart(cloud.table(Network)[network.id], cleanup=True))
    new = cloud.router_of(network)
    assert new.id != old.id
    assert (new.public_ip, new.guest_ip) == (old.public_ip, old.guest_ip)
    assert cloud.appliance(new).configuration.guests[0].guests


def test_a_shared_network_s_router_has_an_address_of_the_range_and_no_public_one(cloud: RoutedCloud) -> None:
    network = cloud.network(
        "shared",
        "DefaultSharedNetworkOffering",
        gateway="10.7.0.1",
        netmask="255.255.255.0",
        start_ip="10.7.0.10",
        end_ip="10.7.0.20",
        vlan="1234",
    )
    vm = cloud.deploy(network=network)
    router = cloud.router_of(network)
    served = cloud.appliance(router).configuration
    assert served.public == ()
    assert served.guests[0].gateway == "10.7.0.1"
    mine = {nic.ip for nic in cloud.table(Nic).where("vm_id", vm.id)}
    assert served.guests[0].router_ip not in mine | {"10.7.0.1"}
    assert set(served.guests[0].services) == {"Dhcp", "Dns", "UserData"}


def test_an_expunged_instance_is_forgotten_by_the_router(cloud: RoutedCloud) -> None:
    network = cloud.network()
    kept, gone = cloud.deploy("kept", network=network), cloud.deploy("gone", network=network)
    router = cloud.router_of(network)
    cloud.do(cloud.manager.vms.destroyed(cloud.admin, gone.id, expunge=True))

    def known() -> set[str]:
        return {guest.vm_id for guest in cloud.appliance(router).configuration.guests[0].guests}

    cloud.until(lambda: known() == {kept.id})


def test_an_instance_that_names_no_network_gets_its_account_s(cloud: RoutedCloud) -> None:
    first, second = cloud.deploy("first"), cloud.deploy("second")
    networks = {nic.network_id for vm in (first, second) for nic in cloud.table(Nic).where("vm_id", vm.id)}
    [network_id] = networks
    network = cloud.table(Network)[network_id]
    assert (network.account_id, network.guest_type, network.name) == (cloud.owner.id, "Isolated", "admin-network")


def test_a_system_vm_is_asked_only_where_it_runs(cloud: RoutedCloud) -> None:
    from cloudsim.protocol.systemvm import Ping, Pong

    network = cloud.network()
    cloud.deploy(network=network)
    router = cloud.router_of(network)
    reply: Any = cloud.do(cloud.manager.system_vms.ask(router.id, Ping()))
    assert isinstance(reply, Pong)
    assert reply.role == "router"
    cloud.do(cloud.manager.system_vms.stopped(router.id))
    with pytest.raises(CloudError, match="does not run"):
        cloud.do(cloud.manager.system_vms.ask(router.id, Ping()))
