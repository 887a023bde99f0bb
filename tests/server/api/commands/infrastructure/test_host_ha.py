"""High availability of hosts on a simulated datacenter: what fails is found, reset, and if need be switched off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import Event, Host, HostHa, ServiceOffering, StoragePool, VirtualMachine
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

BMC = {"driver": "ipmitool", "address": "10.0.0.9", "port": 623, "username": "admin", "password": "swordfish"}
DAY = 86_400


class Watched(TwoRacks):
    """The cloud, and one host of it that is watched; `machine` is what the host really is."""

    def __init__(self) -> None:
        super().__init__()
        self.row = next(iter(self.store.table(Host)))
        self.machine = self.world.hosts[self.row.guid]

    def watch(self) -> None:
        self.admin("configureOutOfBandManagement", hostid=self.row.id, **BMC)
        self.admin("enableOutOfBandManagementForHost", hostid=self.row.id)
        self.admin("configureHAForHost", hostid=self.row.id, provider="simulatorhaprovider")
        self.admin("enableHAForHost", hostid=self.row.id)

    def tell(self, *, health: bool, activity: bool = False, recover: bool = False, fence: bool = False) -> None:
        self.admin(
            "configureSimulatorHAProviderState",
            hostid=self.row.id,
            health=health,
            activity=activity,
            recover=recover,
            fence=fence,
        )

    def shown(self) -> dict[str, Any]:
        (host,) = self.admin("listHosts", id=self.row.id)["host"]
        return dict(host)

    def ha(self) -> str:
        return str(self.shown()["hostha"]["hastate"])

    def states(self) -> list[str]:
        """The states that the host has come to, one after the other."""
        told = [e.description for e in self.store.table(Event) if e.type == "HA.STATE.TRANSITION"]
        return [text.split(" -> ")[1].split(",")[0] for text in told]

    def until(self, state: str, within: float = DAY) -> None:
        for _ in range(int(within / 30)):
            if self.ha() == state:
                return
            self.cloud.wait(30)
        raise AssertionError(f"{self.ha()}, and not {state}: {self.states()}")

    def available(self, **more: Any) -> dict[str, Any]:
        """A running instance on the host, with high availability of its own."""
        offering = self.admin(
            "createServiceOffering",
            name=f"ha {len(self.store.table(ServiceOffering))}",
            displaytext="ha",
            cpunumber=1,
            cpuspeed=500,
            memory=512,
            offerha=True,
        )["serviceoffering"]["id"]
        return self.deploy(serviceofferingid=offering, hostid=self.row.id, **more)

    def where(self, vm: dict[str, Any]) -> list[str]:
        """Names of all hosts that an instance really runs on."""
        return [
            host.name
            for host in self.world.hosts.values()
            if vm["instancename"] in host.hypervisor.guests
        ]


@pytest.fixture
def cloud() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.cloud.close()


# configuring


def test_each_hypervisor_has_its_provider(cloud: Watched) -> None:
    def names(hypervisor: str) -> list[str]:
        rows = cloud.listed("listHostHAProviders", "haprovider", hypervisor=hypervisor)
        return [row["haprovider"] for row in rows]

    assert names("Simulator") == ["SimulatorHAProvider"] and names("KVM") == ["KVMHAProvider"]
    assert names("VMware") == []


@pytest.mark.parametrize("provider", ["kvmhaprovider", "magic"])
def test_a_host_takes_no_provider_of_another_hypervisor(cloud: Watched, provider: str) -> None:
    error = refused(431, cloud.admin, "configureHAForHost", hostid=cloud.row.id, provider=provider)
    assert "there is SimulatorHAProvider" in error.text and len(cloud.store.table(HostHa)) == 0


def test_what_is_not_configured_is_not_enabled(cloud: Watched) -> None:
    for command in ("enableHAForHost", "disableHAForHost"):
        assert "not configured" in refused(431, cloud.admin, command, hostid=cloud.row.id).text
    assert cloud.shown()["hostha"] == {"haenable": False, "hastate": "Disabled"}
    assert cloud.listed("listHostHAResources", "hostha", hostid=cloud.row.id) == []


def test_an_enabled_host_is_available_and_a_disabled_one_is_not_watched(cloud: Watched) -> None:
    cloud.watch()
    cloud.cloud.wait(120)
    told = {
        "hostid": cloud.row.id,
        "haenable": True,
        "hastate": "Available",
        "haprovider": "simulatorhaprovider",
    }
    assert cloud.shown()["hostha"] == told
    assert cloud.listed("listHostHAResources", "hostha") == [told]
    done = cloud.admin("disableHAForHost", hostid=cloud.row.id)["hostha"]
    assert (done["haenable"], done["hastate"], done["status"]) == (False, "Disabled", True)
    cloud.world.crash_host(cloud.row.guid)
    cloud.cloud.wait(DAY)
    assert cloud.ha() == "Disabled" and cloud.shown()["resourcestate"] == "Enabled"


@pytest.mark.parametrize("place", ["Cluster", "Zone"])
def test_what_is_disabled_for_a_cluster_or_zone_is_so_for_its_hosts_until_it_is_enabled(
    cloud: Watched, place: str
) -> None:
    cloud.watch()
    where = {f"{place.lower()}id": cloud.row.cluster_id if place == "Cluster" else cloud.row.zone_id}
    cloud.admin(f"disableHAFor{place}", **where)
    assert cloud.ha() == "Disabled"
    cloud.admin(f"enableHAFor{place}", **where)
    assert cloud.ha() == "Available"


def test_a_host_in_maintenance_is_ineligible_until_it_is_taken_back(cloud: Watched) -> None:
    cloud.watch()
    cloud.admin("prepareHostForMaintenance", id=cloud.row.id)
    cloud.world.hang_agent(cloud.row.guid)
    cloud.cloud.wait(DAY)
    assert cloud.ha() == "Ineligible" and cloud.machine.hypervisor.boots == 0
    cloud.world.resume_agent(cloud.row.guid)
    cloud.admin("cancelHostMaintenance", id=cloud.row.id)
    cloud.until("Available")


def test_it_goes_with_its_host(cloud: Watched) -> None:
    cloud.watch()
    cloud.admin("deleteHost", id=cloud.row.id)
    cloud.cloud.wait(DAY)
    assert len(cloud.store.table(HostHa)) == 0


def test_only_root_administrators_may(cloud: Watched) -> None:
    user = cloud.account("ann")
    refused(401, user, "enableHAForHost", hostid=cloud.row.id)
    refused(401, user, "listHostHAResources")


# failing


def test_a_hung_host_on_which_nothing_runs_is_reset_and_comes_back(cloud: Watched) -> None:
    cloud.watch()
    cloud.world.hang_agent(cloud.row.guid)
    cloud.until("Recovered")
    assert cloud.states()[:3] == ["Available", "Suspect", "Checking"] and cloud.states()[-2:] == [
        "Recovering",
        "Recovered",
    ]
    assert cloud.machine.hypervisor.boots == 1
    cloud.until("Available")
    assert cloud.shown()["state"] == "Up" and cloud.shown()["resourcestate"] == "Enabled"
    cloud.cloud.wait(DAY)
    assert cloud.ha() == "Available" and cloud.machine.hypervisor.boots == 1


@pytest.mark.parametrize("trouble", ["agent hangs", "link cut"])
def test_a_silent_host_whose_instances_write_is_degraded_and_left_alone(cloud: Watched, trouble: str) -> None:
    cloud.watch()
    vm = cloud.available()
    begin, end = {
        "agent hangs": (cloud.world.hang_agent, cloud.world.resume_agent),
        "link cut": (cloud.world.cut_link, cloud.world.restore_link),
    }[trouble]
    begin(cloud.row.guid)
    cloud.until("Degraded")
    cloud.cloud.wait(DAY)
    assert cloud.machine.hypervisor.boots == 0 and cloud.where(vm) == [cloud.row.name]
    assert "Recovering" not in cloud.states()
    end(cloud.row.guid)
    cloud.until("Available")
    assert cloud.where(vm) == [cloud.row.name] and cloud.state(vm["id"]) == "Running"


def test_a_broken_host_is_fenced_and_its_instances_are_elsewhere_or_stopped(cloud: Watched) -> None:
    cloud.watch()
    ha, plain = cloud.available(), cloud.deploy(hostid=cloud.row.id)
    cloud.world.crash_host(cloud.row.guid)
    cloud.until("Fenced")
    cloud.cloud.wait(600)
    assert (cloud.shown()["state"], cloud.shown()["resourcestate"]) == ("Down", "Maintenance")
    assert cloud.shown()["outofbandmanagement"]["powerstate"] == "Off"
    (other,) = cloud.where(ha)
    assert other != cloud.row.name and cloud.vm(ha["id"])["hostname"] == other
    assert cloud.state(plain["id"]) == "Stopped" and cloud.where(plain) == []
    alerts = cloud.listed("listAlerts", "alert", name="ALERT.HA.ACTION")
    assert any("-> Fenced" in alert["description"] for alert in alerts)


def test_a_fenced_host_that_is_repaired_serves_again_once_the_operator_says_so(cloud: Watched) -> None:
    cloud.watch()
    vm = cloud.available()
    cloud.world.crash_host(cloud.row.guid)
    cloud.until("Fenced")
    cloud.world.restore_host(cloud.row.guid)
    cloud.until("Ineligible")
    assert cloud.shown()["state"] == "Up" and len(cloud.where(vm)) == 1
    cloud.admin("cancelHostMaintenance", id=cloud.row.id)
    cloud.until("Available")
    assert cloud.deploy(hostid=cloud.row.id)["hostname"] == cloud.row.name


def test_an_instance_whose_disk_is_the_broken_hosts_own_is_stopped_once_the_host_is_off(cloud: Watched) -> None:
    cloud.watch()
    vm = cloud.available()
    pool = cloud.cloud.root(cloud.store.table(VirtualMachine)[vm["id"]]).pool_id
    with cloud.store.transaction():
        cloud.store.table(StoragePool).update(pool, scope="HOST", host_id=cloud.row.id)
    cloud.world.crash_host(cloud.row.guid)
    cloud.until("Fenced")
    cloud.cloud.wait(DAY)
    assert cloud.state(vm["id"]) == "Stopped" and cloud.where(vm) == []  # no other host has its disk


def test_without_its_management_controller_a_lost_host_is_never_taken_for_off(cloud: Watched) -> None:
    cloud.watch()
    vm = cloud.deploy(hostid=cloud.row.id)
    cloud.world.cut_link(cloud.machine.hypervisor.place.parent.name)
    cloud.cloud.wait(DAY)
    assert not {"Fenced", "Recovered"} & set(cloud.states())
    assert cloud.state(vm["id"]) == "Running" and cloud.where(vm) == [cloud.row.name]


def test_a_host_that_answers_again_before_it_is_fenced_is_spared(cloud: Watched) -> None:
    cloud.watch()
    cloud.admin("updateConfiguration", name="kvm.ha.recover.failure.threshold", value=0)
    cloud.admin("disableOutOfBandManagementForHost", hostid=cloud.row.id)
    cloud.world.hang_agent(cloud.row.guid)
    cloud.until("Fencing")
    cloud.cloud.wait(600)
    assert cloud.ha() == "Fencing"  # nothing can switch it off
    cloud.world.resume_agent(cloud.row.guid)
    cloud.until("Available")
    assert cloud.machine.hypervisor.boots == 0


def test_settings_say_how_often_activity_is_checked(cloud: Watched) -> None:
    cloud.admin("updateConfiguration", name="kvm.ha.activity.check.max.attempts", value=2)
    cloud.watch()
    cloud.world.hang_agent(cloud.row.guid)
    cloud.until("Recovered")
    assert cloud.states().count("Checking") == 2


# told what to find


def test_told_that_instances_write_it_is_degraded(cloud: Watched) -> None:
    cloud.watch()
    cloud.tell(health=False, activity=True)
    cloud.until("Degraded", within=120)
    cloud.tell(health=True)
    cloud.until("Available", within=120)


def test_told_that_the_reset_succeeds_it_is_recovered(cloud: Watched) -> None:
    cloud.watch()
    cloud.tell(health=False, recover=True)
    cloud.until("Recovered", within=120)
    assert cloud.machine.hypervisor.boots == 0


def test_told_that_only_fencing_succeeds_it_is_fenced_and_nothing_was_done_to_it(cloud: Watched) -> None:
    cloud.watch()
    vm = cloud.available()
    cloud.tell(health=False, fence=True)
    cloud.until("Fenced", within=300)
    cloud.cloud.wait(600)
    assert (cloud.shown()["state"], cloud.shown()["resourcestate"]) == ("Up", "Maintenance")
    assert cloud.machine.hypervisor.powered and cloud.where(vm) == [cloud.row.name]
    assert cloud.state(vm["id"]) == "Running" and cloud.vm(vm["id"])["hostname"] == cloud.row.name
    rows = cloud.listed("listSimulatorHAStateTransitions", "hastatetransition", hostid=cloud.row.id)
    assert [row["hastate"] for row in rows if row["hastate"] != row["prevhastate"]][-3:] == [
        "Recovering",
        "Fencing",
        "Fenced",
    ]
    assert rows[-1] == {
        "prevhastate": "Fencing",
        "event": "Fenced",
        "hastate": "Fenced",
        "activitycounter": 0,
        "recoverycounter": 1,
    }


def test_configured_anew_it_looks_for_itself_again(cloud: Watched) -> None:
    cloud.watch()
    cloud.tell(health=False, activity=True)
    cloud.until("Degraded", within=120)
    cloud.admin("configureHAForHost", hostid=cloud.row.id, provider="SimulatorHAProvider")
    cloud.until("Available", within=300)
    assert cloud.listed("listSimulatorHAStateTransitions", "hastatetransition", hostid=cloud.row.id) != []


def test_nothing_is_told_to_a_host_that_is_not_configured(cloud: Watched) -> None:
    refused(431, cloud.admin, "listSimulatorHAStateTransitions", hostid=cloud.row.id)
    told = dict.fromkeys(("health", "activity", "recover", "fence"), True)
    refused(431, cloud.admin, "configureSimulatorHAProviderState", hostid=cloud.row.id, **told)
