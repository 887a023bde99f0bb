"""Out-of-band management of hosts, on a simulated datacenter: what is switched really goes off and on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import Host, OutOfBandManagement
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

BMC = {"driver": "ipmitool", "address": "10.0.0.9", "port": 623, "username": "admin", "password": "swordfish"}


class Powered(TwoRacks):
    """The cloud, and one host of it whose power is switched."""

    def __init__(self) -> None:
        super().__init__()
        self.row = next(iter(self.cloud.table(Host)))
        self.machine = self.world.hosts[self.row.guid]

    def enable(self) -> None:
        self.admin("configureOutOfBandManagement", hostid=self.row.id, **BMC)
        self.admin("enableOutOfBandManagementForHost", hostid=self.row.id)

    def power(self, action: str, **more: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.admin(
            "issueOutOfBandManagementPowerAction", hostid=self.row.id, action=action, **more
        )["outofbandmanagement"]
        return done

    def shown(self) -> dict[str, Any]:
        (host,) = self.admin("listHosts", id=self.row.id)["host"]
        return dict(host)


@pytest.fixture
def cloud() -> Iterator[Powered]:
    made = Powered()
    yield made
    made.cloud.close()


def test_a_host_that_is_not_configured_has_none(cloud: Powered) -> None:
    assert cloud.shown()["outofbandmanagement"] == {"enabled": False, "powerstate": "Disabled"}
    for command in ("enableOutOfBandManagementForHost", "disableOutOfBandManagementForHost"):
        assert "not configured" in refused(431, cloud.admin, command, hostid=cloud.row.id).text
    refused(530, cloud.admin, "issueOutOfBandManagementPowerAction", hostid=cloud.row.id, action="STATUS")
    refused(530, cloud.admin, "changeOutOfBandManagementPassword", hostid=cloud.row.id)


def test_what_is_configured_is_told_but_for_the_password(cloud: Powered) -> None:
    made = cloud.admin("configureOutOfBandManagement", hostid=cloud.row.id, **BMC)["outofbandmanagement"]
    assert made == {
        "hostid": cloud.row.id,
        "enabled": False,
        "powerstate": "Disabled",
        "driver": "ipmitool",
        "address": "10.0.0.9",
        "port": "623",
        "username": "admin",
        "password": "****",
    }
    assert cloud.shown()["outofbandmanagement"] == made


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"driver": "morse"}, "there is ipmitool"),
        ({"port": "0"}, "Invalid port 0"),
        ({"port": "ipmi"}, "Invalid port ipmi"),
        ({"address": "-oProxy"}, "Invalid address"),
        ({"username": "a\nb"}, "Invalid username"),
        ({"password": "-secret"}, "Invalid password"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(cloud: Powered, wrong: dict[str, str], why: str) -> None:
    error = refused(431, cloud.admin, "configureOutOfBandManagement", hostid=cloud.row.id, **BMC | wrong)
    assert why in error.text and "secret" not in error.text
    assert len(cloud.store.table(OutOfBandManagement)) == 0


def test_once_enabled_the_power_state_becomes_known_by_itself(cloud: Powered) -> None:
    cloud.enable()
    cloud.cloud.wait(5)
    assert cloud.shown()["outofbandmanagement"]["powerstate"] == "On"


def test_a_host_that_loses_power_is_seen_off_at_the_next_look(cloud: Powered) -> None:
    cloud.enable()
    cloud.world.crash_host(cloud.row.guid)
    cloud.cloud.wait(310)
    assert cloud.shown()["outofbandmanagement"]["powerstate"] == "Off"
    types = [event["type"] for event in cloud.admin("listEvents", listall=True)["event"]]
    assert "HOST.OOBM.POWERSTATE.TRANSITION" in types


def test_off_and_on_really_switch_the_host(cloud: Powered) -> None:
    cloud.enable()
    vm = cloud.deploy(hostid=cloud.row.id)
    done = cloud.power("OFF")
    assert (done["powerstate"], done["action"], done["status"]) == ("Off", "OFF", True)
    assert vm["instancename"] not in cloud.running() and not cloud.machine.hypervisor.powered
    assert cloud.power("status")["powerstate"] == "Off"
    assert cloud.power("ON")["powerstate"] == "On"
    cloud.cloud.wait(600)
    assert cloud.shown()["state"] == "Up" and cloud.state(vm["id"]) == "Stopped"


@pytest.mark.parametrize("action", ["RESET", "CYCLE"])
def test_a_hung_host_begins_anew_when_it_is_reset(cloud: Powered, action: str) -> None:
    cloud.enable()
    cloud.world.hang_agent(cloud.row.guid)
    cloud.cloud.wait(600)
    assert cloud.shown()["state"] == "Alert"
    assert cloud.power(action)["powerstate"] == "On"
    cloud.cloud.wait(300)
    assert cloud.shown()["state"] == "Up"
    cloud.world.resume_agent(cloud.row.guid)  # it does not hang any more: nothing comes of it
    cloud.world.hang_agent(cloud.row.guid)
    cloud.cloud.wait(600)
    assert cloud.shown()["state"] == "Alert"


def test_a_broken_host_can_be_switched_off_but_not_on(cloud: Powered) -> None:
    cloud.enable()
    cloud.world.crash_host(cloud.row.guid)
    assert cloud.power("OFF")["powerstate"] == "Off"
    assert "does not start" in refused(
        530, cloud.admin, "issueOutOfBandManagementPowerAction", hostid=cloud.row.id, action="ON"
    ).text
    assert cloud.shown()["outofbandmanagement"]["powerstate"] == "Unknown"
    cloud.world.restore_host(cloud.row.guid)
    assert cloud.power("STATUS")["powerstate"] == "On"


def test_the_controller_is_reached_beside_a_cut_link_of_its_host_but_not_through_one_of_its_rack(
    cloud: Powered,
) -> None:
    cloud.enable()
    cloud.world.cut_link(cloud.row.guid)
    assert cloud.power("STATUS")["powerstate"] == "On"
    rack = cloud.machine.hypervisor.place.parent
    cloud.world.cut_link(rack.name)
    error = refused(530, cloud.admin, "issueOutOfBandManagementPowerAction", hostid=cloud.row.id, action="OFF")
    assert "does not answer" in error.text and cloud.machine.hypervisor.powered


def test_an_action_that_takes_longer_than_it_may_fails_and_the_power_is_unknown(cloud: Powered) -> None:
    cloud.enable()
    cloud.world.cut_link(cloud.machine.hypervisor.place.parent.name)
    error = refused(
        530, cloud.admin, "issueOutOfBandManagementPowerAction", hostid=cloud.row.id, action="STATUS", timeout=3
    )
    assert "no answer within 3 seconds" in error.text
    assert cloud.shown()["outofbandmanagement"]["powerstate"] == "Unknown"


@pytest.mark.parametrize("more", [{"action": "EXPLODE"}, {"action": "ON", "timeout": 0}])
def test_an_action_that_is_none_is_refused(cloud: Powered, more: dict[str, Any]) -> None:
    cloud.enable()
    refused(431, cloud.admin, "issueOutOfBandManagementPowerAction", hostid=cloud.row.id, **more)


@pytest.mark.parametrize("place", ["Cluster", "Zone"])
def test_what_is_disabled_for_a_cluster_or_zone_is_so_for_its_hosts_until_it_is_enabled(
    cloud: Powered, place: str
) -> None:
    cloud.enable()
    cloud.cloud.wait(5)
    where = {f"{place.lower()}id": cloud.row.cluster_id if place == "Cluster" else cloud.row.zone_id}
    off = cloud.admin(f"disableOutOfBandManagementFor{place}", **where)["outofbandmanagement"]
    assert off["enabled"] is False
    assert cloud.shown()["outofbandmanagement"]["powerstate"] == "Disabled"
    error = refused(530, cloud.admin, "issueOutOfBandManagementPowerAction", hostid=cloud.row.id, action="OFF")
    assert "zone or cluster" in error.text and cloud.machine.hypervisor.powered
    cloud.admin(f"enableOutOfBandManagementFor{place}", **where)
    cloud.cloud.wait(5)
    assert cloud.shown()["outofbandmanagement"]["powerstate"] == "On"


def test_a_changed_password_is_kept_and_never_told(cloud: Powered) -> None:
    cloud.enable()
    done = cloud.admin("changeOutOfBandManagementPassword", hostid=cloud.row.id, password="tr0ub4dor")
    assert done["outofbandmanagement"]["status"] is True and "tr0ub4dor" not in str(done)
    (row,) = cloud.store.table(OutOfBandManagement)
    assert row.password == "tr0ub4dor"
    cloud.admin("changeOutOfBandManagementPassword", hostid=cloud.row.id)
    (row,) = cloud.store.table(OutOfBandManagement)
    assert row.password != "tr0ub4dor" and len(row.password) == 16


def test_hosts_are_listed_by_whether_and_how_they_are_powered(cloud: Powered) -> None:
    cloud.enable()
    cloud.power("OFF")
    ids = {host.id for host in cloud.store.table(Host)}

    def listed(**by: Any) -> set[str]:
        return {host["id"] for host in cloud.listed("listHosts", "host", **by)}

    assert listed(outofbandmanagementenabled=True) == {cloud.row.id}
    assert listed(outofbandmanagementpowerstate="off") == {cloud.row.id}
    assert listed(outofbandmanagementpowerstate="Disabled") == ids - {cloud.row.id}


def test_it_goes_with_its_host(cloud: Powered) -> None:
    cloud.enable()
    cloud.admin("deleteHost", id=cloud.row.id)
    assert len(cloud.store.table(OutOfBandManagement)) == 0


def test_only_root_administrators_may(cloud: Powered) -> None:
    user = cloud.account("ann")
    for command in ("configureOutOfBandManagement", "issueOutOfBandManagementPowerAction"):
        refused(401, user, command, hostid=cloud.row.id, action="OFF", **BMC)
